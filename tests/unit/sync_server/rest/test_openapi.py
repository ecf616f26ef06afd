"""The description is a document of OpenAPI 3.1, and true."""

from __future__ import annotations

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from durabase.sync_server.rest.openapi import openapi_document
from durabase.sync_server.rest.pages import Page
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.resources import resource_of
from unit.sync_server.rest._asking import Asking, ask_all, json_of

DOCUMENT = openapi_document()
OPERATIONS = {"get", "put", "post", "patch", "delete"}
SPECIAL = {"/transactions": {"post"}, "/events": {"get"}}


def test_it_is_valid_and_has_a_url() -> None:
    async def test(ask: Asking) -> None:
        response = await ask.at("GET", "/api/openapi.json")
        assert (response.status, response.headers["content-type"]) == (200, "application/json")
        document = await json_of(response)
        OpenAPIV31SpecValidator(document).validate()
        assert document["servers"] == [{"url": "."}]
        assert (await ask.at("POST", "/api/openapi.json", {})).status == 404

    ask_all(test)


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_each_path_is_there_with_its_methods(path: str) -> None:
    inner = path.removeprefix("/rooms/{room}")
    described = OPERATIONS & DOCUMENT["paths"][path].keys()
    if inner in SPECIAL:
        assert described == SPECIAL[inner]
        with pytest.raises(ProblemError):
            resource_of(inner.split("/")[1:])
        return
    assert {method.upper() for method in described} == set(resource_of(inner.split("/")[1:]).methods) - {
        "HEAD"
    }
    named = [parameter["$ref"].rpartition("/")[2] for parameter in DOCUMENT["paths"][path]["parameters"]]
    assert named == re.findall(r"\{(\w+)\}", path)


def test_the_query_of_rows_is_described() -> None:
    parameters = DOCUMENT["components"]["parameters"]
    assert {name for name, told in parameters.items() if told["in"] == "query"} == set(Page._fields)


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    used: set[str] = set()

    def visit(node: Any) -> None:
        for member in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            visit(member)
        if isinstance(node, dict) and "$ref" in node:
            used.add(node["$ref"])

    visit(DOCUMENT)
    components = DOCUMENT["components"].items()
    assert used == {f"#/components/{kind}/{name}" for kind, named in components for name in named}
