"""The description of the resources: a document of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any, Final

from durabase.sync_server.rest.pages import DEFAULT_LIMIT, MAX_LIMIT

__all__ = ["openapi_document"]

_Schema = dict[str, Any]


def _ref(kind: str, name: str) -> _Schema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _object_of(member: _Schema, description: str) -> _Schema:
    return {"type": "object", "additionalProperties": member, "description": description}


def _content(schema: _Schema, kind: str = "application/json") -> _Schema:
    return {"content": {kind: {"schema": schema}}}


def _answer(description: str, schema: _Schema | None = None, *headers: str) -> _Schema:
    answer: _Schema = {"description": description}
    if headers:
        answer["headers"] = {name: _ref("headers", name) for name in headers}
    return answer if schema is None else {**answer, **_content(schema)}


_SCHEMAS: Final[_Schema] = {
    "Thing": {
        "type": ["string", "number", "boolean", "object", "array", "null"],
        "description": "A cell or a value.",
    },
    "Row": _object_of(_ref("schemas", "Thing"), "The cells of a row, by id."),
    "Table": _object_of(_ref("schemas", "Row"), "The rows of a table, by id."),
    "Tables": _object_of(_ref("schemas", "Table"), "All tables, by id."),
    "Values": _object_of(_ref("schemas", "Thing"), "All values, by id."),
    "Content": {
        "type": "array",
        "prefixItems": [_ref("schemas", "Tables"), _ref("schemas", "Values")],
        "minItems": 2,
        "maxItems": 2,
        "description": "The tables and the values.",
    },
    "Page": {
        "type": "object",
        "properties": {
            "rowIds": {"type": "array", "items": {"type": "string"}, "description": "In order."},
            "rows": _ref("schemas", "Table"),
            "rowCount": {"type": "integer", "description": "How many rows the table has."},
        },
        "required": ["rowIds", "rows", "rowCount"],
    },
    "Edit": {
        "type": "object",
        "properties": {
            "method": {"enum": ["PUT", "PATCH", "POST", "DELETE"]},
            "path": {
                "type": "array",
                "items": {"type": "string"},
                "examples": [["tables", "pets", "rows", "fido"]],
            },
            "body": _ref("schemas", "Thing"),
            "ifMatch": {"type": "string"},
            "ifNoneMatch": {"type": "string"},
        },
        "required": ["method", "path"],
        "additionalProperties": False,
    },
    "Outcome": {
        "type": "object",
        "properties": {"status": {"enum": [201, 204]}, "id": {"type": "string"}},
        "required": ["status"],
    },
    "Problem": {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "invalid": {"type": "array", "items": {"type": "object"}},
            "edit": {"type": "integer", "description": "Which edit of a transaction it is about."},
        },
        "required": ["type", "title", "status", "detail"],
    },
}
_PARAMETERS: Final[_Schema] = {
    **{
        name: {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": text,
        }
        for name, text in {
            "room": "The path of the room's WebSocket URL, without its first slash, as one segment.",
            "table": "A table's id.",
            "row": "A row's id.",
            "cell": "A cell's id.",
            "value": "A value's id.",
        }.items()
    },
    **{
        name: {"name": name, "in": "query", "schema": schema, "description": text}
        for name, schema, text in (
            ("sort_by", {"type": "string"}, "The cell to sort by; without it, the rows' ids."),
            ("descending", {"type": "boolean", "default": False}, "Whether in reverse."),
            ("offset", {"type": "integer", "minimum": 0, "default": 0}, "How many rows to skip."),
            (
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                "How many rows at most.",
            ),
        )
    },
    "If-Match": {"name": "If-Match", "in": "header", "schema": {"type": "string"}},
    "If-None-Match": {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
    "Last-Event-ID": {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}},
}
_HEADERS: Final[_Schema] = {
    "ETag": {"schema": {"type": "string"}, "description": "Changes with what it is of."},
    "Link": {"schema": {"type": "string"}, "description": "Leads to the next page, unless this is the last."},
    "Location": {"schema": {"type": "string"}, "description": "Where the new row is."},
}
_RESPONSES: Final[_Schema] = {
    "Problem": {
        "description": "It can't be done.",
        **_content(_ref("schemas", "Problem"), "application/problem+json"),
    }
}
_FAILURE: Final[_Schema] = {"default": _ref("responses", "Problem")}
_NOT_MODIFIED: Final[_Schema] = {"304": {"description": "It is what If-None-Match says."}}
_CHANGED: Final[_Schema] = {"204": _answer("Done, and durable.", None, "ETag")}
_CREATED: Final[_Schema] = {"201": _answer("Created, and durable.", None, "ETag")}
_CONDITIONS: Final = [_ref("parameters", "If-Match"), _ref("parameters", "If-None-Match")]


def _reading(name: str, what: str, schema: str, *query: str) -> _Schema:
    headers = ("ETag", "Link") if query else ("ETag",)
    return {
        "operationId": f"get{name}",
        "summary": f"Get {what}.",
        "parameters": [*_CONDITIONS, *(_ref("parameters", parameter) for parameter in query)],
        "responses": {"200": _answer("It.", _ref("schemas", schema), *headers), **_NOT_MODIFIED, **_FAILURE},
    }


def _writing(name: str, summary: str, schema: str | None, answers: _Schema) -> _Schema:
    operation: _Schema = {"operationId": name, "summary": summary, "parameters": _CONDITIONS}
    if schema is not None:
        operation["requestBody"] = {"required": True, **_content(_ref("schemas", schema))}
    return {**operation, "responses": {**answers, **_FAILURE}}


def _resource(
    name: str,
    what: str,
    *ids: str,
    schema: str = "",
    puts: bool = True,
    patches: bool = False,
    deletes: bool = True,
) -> _Schema:
    """A path item."""
    shape = schema or name
    item: _Schema = {
        "parameters": [_ref("parameters", parameter) for parameter in ("room", *ids)],
        "get": _reading(name, what, shape),
    }
    answers = {**_CHANGED, **(_CREATED if ids else {})}
    if puts:
        item["put"] = _writing(f"put{name}", f"Replace {what}.", shape, answers)
    if patches:
        item["patch"] = _writing(f"patch{name}", f"Set some members of {what}.", shape, answers)
    if deletes:
        item["delete"] = _writing(f"delete{name}", f"Delete {what}.", None, _CHANGED)
    return item


def _rows() -> _Schema:
    added: _Schema = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    item = _resource("Rows", "rows, page by page", "table", schema="Page", puts=False, deletes=False)
    item["get"] = _reading("Rows", "rows, page by page", "Page", "sort_by", "descending", "offset", "limit")
    item["post"] = _writing(
        "addRow", "Add a row under a new id.", "Row", {"201": _answer("Added.", added, "Location")}
    )
    return item


def _transactions() -> _Schema:
    edits = {"type": "array", "items": _ref("schemas", "Edit"), "minItems": 1}
    outcomes = {"type": "array", "items": _ref("schemas", "Outcome")}
    return {
        "parameters": [_ref("parameters", "room")],
        "post": {
            "operationId": "transact",
            "summary": "Make several edits, all or none.",
            "requestBody": {"required": True, **_content(edits)},
            "responses": {"200": _answer("All are made, and durable.", outcomes), **_FAILURE},
        },
    }


def _events() -> _Schema:
    stream = {"type": "string", "description": "Events of the types snapshot and changes."}
    return {
        "parameters": [_ref("parameters", "room")],
        "get": {
            "operationId": "getEvents",
            "summary": "Follow what happens, by server-sent events.",
            "parameters": [_ref("parameters", "Last-Event-ID")],
            "responses": {
                "200": {"description": "They go on.", **_content(stream, "text/event-stream")},
                **_FAILURE,
            },
        },
    }


def openapi_document() -> _Schema:
    """The document. Its server is given relative to the document's own URL, wherever that is mounted."""
    room = "/rooms/{room}"
    paths = {
        room: _resource("Content", "all that the room has", deletes=False),
        f"{room}/transactions": _transactions(),
        f"{room}/events": _events(),
        f"{room}/tables": _resource("Tables", "all tables"),
        f"{room}/tables/{{table}}": _resource("Table", "a table", "table"),
        f"{room}/tables/{{table}}/rows": _rows(),
        f"{room}/tables/{{table}}/rows/{{row}}": _resource("Row", "a row", "table", "row", patches=True),
        f"{room}/tables/{{table}}/rows/{{row}}/cells/{{cell}}": _resource(
            "Cell", "a cell", "table", "row", "cell", schema="Thing"
        ),
        f"{room}/values": _resource("Values", "all values", patches=True),
        f"{room}/values/{{value}}": _resource("Value", "a value", "value", schema="Thing"),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rooms", "version": "1", "description": "Tables and values of rooms."},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "responses": _RESPONSES,
        },
    }
