"""``durabase objects``: what there is of objects, and changing it, by class and name."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from durabase.cli.admin_client import AdminClient, Asked, RemoteAdmin, find_admin
from durabase.cli.changes import shown_history
from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.progress import mebibytes
from durabase.cli.project import Project, open_project
from durabase.errors import DurabaseError

__all__ = ["admin_of", "objects", "project_of", "server_of"]


def objects(options: argparse.Namespace, console: Console) -> int:
    """Do what is asked for, and show what came of it."""
    if options.action == "delete" and not options.yes and not _agreed(options):
        return 1
    with admin_of(options, console) as admin:
        answer = json.loads(_answer(admin, options, console))
    if options.action == "export" and options.output is not None:
        options.output.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
        console.line(f"{options.class_name} {options.name}: exported to {options.output}")
    elif options.json or options.action == "export":
        console.line(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        for line in _SHOWN.get(options.action, _said)(answer, options):
            console.line(line)
    return 0


def _answer(admin: AdminClient, options: argparse.Namespace, console: Console) -> bytes:
    asked, who = _ASKED[options.action](options), f"{options.class_name} {getattr(options, 'name', '')}"
    if options.json or options.action not in ("export", "import"):
        return admin.ask(asked)
    if options.action == "import":
        console.passing(f"{who}: importing {mebibytes(len(asked.body or b''))} ...")
        return admin.ask(asked)
    answer = bytearray()
    for chunk in admin.chunks(asked):
        answer += chunk
        console.passing(f"{who}: exporting, {mebibytes(len(answer))} ...")
    return bytes(answer)


def admin_of(options: argparse.Namespace, console: Console) -> AdminClient:
    """Whom to ask.

    Raises:
        DurabaseError: nobody is there.
    """
    return find_admin(project_of(options, console), options.admin)


def server_of(options: argparse.Namespace, console: Console) -> RemoteAdmin:
    """The server to ask.

    Raises:
        DurabaseError: none runs.
    """
    found = admin_of(options, console)
    if not isinstance(found, RemoteAdmin):
        raise DurabaseError("No server is running here: start one with --admin 8788.")
    return found


def project_of(options: argparse.Namespace, console: Console) -> Project:
    """The project that is meant.

    Raises:
        ConfigError: there is none, or its configuration has errors.
    """
    place, *others = options.configs or [Path()]
    asked = ServeOptions(place, tuple(others), environment=options.environment, persist_to=options.persist_to)
    return open_project(asked, console)


def _agreed(options: argparse.Namespace) -> bool:
    question = f"Delete all that {options.class_name} {options.name} keeps? [y/N] "
    return sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes")


# Asking


def _which(options: argparse.Namespace, **more: str | None) -> Mapping[str, str | None]:
    return {"class": options.class_name, "id" if options.id else "name": options.name, **more}


def _list(options: argparse.Namespace) -> Asked:
    query = {"class": options.class_name, "search": options.search, "limit": str(options.limit)}
    return Asked("GET", "/objects", query)


def _entries(options: argparse.Namespace) -> Asked:
    query = _which(options, prefix=options.prefix, limit=str(options.limit))
    return Asked("GET", "/object/entries", query)


def _history(options: argparse.Namespace) -> Asked:
    ids = () if options.cell is None else options.cell.split("/", 2)
    cell = dict(zip(("table", "row", "cell"), ids, strict=False))
    cursor = None if options.before is None else str(options.before)
    more = {"value": options.value, "key": options.key, "cursor": cursor, "limit": str(options.limit)}
    return Asked("GET", "/object/changes", _which(options, **cell, **more))


def _import(options: argparse.Namespace) -> Asked:
    query = _which(options, replace="yes" if options.replace else None)
    return Asked("PUT", "/object/import", query, options.file.read_bytes())


def _sql(options: argparse.Namespace) -> Asked:
    parameters = [_parameter(text) for text in options.parameters]
    asked = {"query": options.query, "parameters": parameters, "write": options.write}
    return Asked("POST", "/object/sql", _which(options), json.dumps(asked).encode())


def _parameter(text: str) -> Any:
    """A number if it looks like one, else text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


_ASKED: Final[Mapping[str, Callable[[argparse.Namespace], Asked]]] = {
    "list": _list,
    "show": lambda options: Asked("GET", "/object", _which(options)),
    "entries": _entries,
    "sql": _sql,
    "history": _history,
    "evict": lambda options: Asked(
        "POST", "/object/evict", _which(options, sockets="close" if options.close_sockets else None)
    ),
    "abort": lambda options: Asked("POST", "/object/abort", _which(options, reason=options.reason)),
    "export": lambda options: Asked("GET", "/object/export", _which(options)),
    "import": _import,
    "delete": lambda options: Asked("DELETE", "/object", _which(options)),
}


# Showing


def _said(answer: Any, options: argparse.Namespace) -> list[str]:
    done = {"evict": "evicted", "abort": "aborted", "delete": "deleted", "import": "imported"}
    return [f"{options.class_name} {options.name}: {done[options.action]}"]


def _shown_list(answer: Any, options: argparse.Namespace) -> list[str]:
    rows = [
        [
            each["class"],
            each["name"] if each["name"] is not None else each["id"],
            each["state"],
            str(each["sockets"]),
            _time(each["alarm"]),
            "yes" if each["has_stored_data"] else "no",
        ]
        for each in answer["objects"]
    ]
    lines = _table(["CLASS", "NAME", "STATE", "SOCKETS", "ALARM", "DATA"], rows)
    return [*lines, "… and more: use --limit or --search"] if answer["cursor"] else lines


def _shown_object(answer: Any, options: argparse.Namespace) -> list[str]:
    tables = answer.pop("tables", {})
    answer["alarm"] = _time(answer["alarm"])
    lines = [f"{name.replace('_', ' '):<16} {value}" for name, value in answer.items()]
    return [*lines, *(f"{'table':<16} {name} ({count} rows)" for name, count in tables.items())]


def _shown_entries(answer: Any, options: argparse.Namespace) -> list[str]:
    lines = [f"{key}  {json.dumps(value, ensure_ascii=False)}" for key, value in answer["entries"].items()]
    return [*lines, "… and more: use --limit or --prefix"] if answer["more"] else lines


def _shown_rows(answer: Any, options: argparse.Namespace) -> list[str]:
    rows = [["" if value is None else str(value) for value in row] for row in answer["rows"]]
    lines = _table(answer["columns"], rows) if answer["columns"] else []
    return [*lines, f"{answer['rows_written']} rows written"] if options.write else lines


_SHOWN: Final[Mapping[str, Callable[[Any, argparse.Namespace], list[str]]]] = {
    "list": _shown_list,
    "show": _shown_object,
    "entries": _shown_entries,
    "sql": _shown_rows,
    "history": shown_history,
}


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    ]


def _time(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "-"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
