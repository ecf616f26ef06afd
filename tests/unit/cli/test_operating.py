"""What the commands for operating a server take, and what each of them calls."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from durabase.cli import operating
from durabase.cli.console import Console
from durabase.cli.parsing import Parser


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser(prog="durabase")
    commands = parser.add_subparsers(required=True)
    for add in (
        *(operating.add_objects, operating.add_copies, operating.add_tail),
        *(operating.add_top, operating.add_drain, operating.add_token),
    ):
        add(commands)
    serve = commands.add_parser("serve")
    for add_options in (
        *(operating.add_watching_options, operating.add_storage_options),
        *(operating.add_access_options, operating.add_tls_options),
    ):
        add_options(serve)
    return parser.parse_args(words)


def test_options_of_those_that_serve() -> None:
    plain = parsed("serve")
    assert (plain.admin, plain.log_format, plain.durability, plain.history_days, plain.is_strict) == (
        *(None, "text", "full", None),
        False,
    )
    words = ("--admin", "8788", "--log-format", "json", "--durability", "off", "--history", "0.5", "--strict")
    full = parsed("serve", *words)
    assert (full.admin, full.log_format, full.durability, full.history_days, full.is_strict) == (
        *(("127.0.0.1", 8788), "json", "off", 0.5),
        True,
    )
    assert parsed("serve", "--history").history_days == 30
    tls = parsed(*["serve", "--tls-cert", "a.pem", "--tls-key", "b.pem"])
    assert (tls.certificate, tls.certificate_key) == (Path("a.pem"), Path("b.pem"))


@pytest.mark.parametrize("action", ["show", "entries", "evict", "abort", "history", "export", "delete"])
def test_actions_on_one_object(action: str) -> None:
    options = parsed("objects", action, "Room", "a", "--id", "--json", "-c", "x", "-c", "y", "--env", "e")
    assert (options.action, options.class_name, options.name, options.id) == (action, "Room", "a", True)
    assert (options.json, options.configs, options.environment) == (True, [Path("x"), Path("y")], "e")


def test_actions_with_more_to_say() -> None:
    listing = parsed("objects", "list")
    assert (listing.action, listing.class_name, listing.limit, listing.configs) == ("list", None, 100, [])
    sql = parsed("objects", "sql", "Room", "a", "SELECT ?", "1", "2", "--write")
    assert (sql.query, sql.parameters, sql.write) == ("SELECT ?", ["1", "2"], True)
    taking = parsed("objects", "import", "Room", "a", "file", "--replace")
    assert (taking.action, taking.file, taking.replace) == ("import", Path("file"), True)


def test_options_that_say_several_things() -> None:
    tail = parsed("tail", "--status", "ok", "--status", "error", "--class", "Room")
    assert (tail.status, tail.class_name, tail.object, tail.search) == (["ok", "error"], ["Room"], [], None)
    top = parsed("top")
    assert (top.interval, top.limit, top.sort, top.by_class, top.once) == (2.0, 50, "events", False, False)
    token = parsed("token", "a", "docs/*", "--for", "ann", "--expires", "15m")
    assert (token.paths, token.level, token.identity, token.expires) == (["a", "docs/*"], "write", "ann", 900)
    assert parsed("token").expires == 3600
    drain = parsed("drain", "--close", "--seconds", "5")
    assert (drain.close, drain.seconds, drain.undo) == (True, 5, False)


@pytest.mark.parametrize(
    ("words", "called"),
    [
        (["objects", "list"], "objects.objects"),
        (["backup", "place"], "copies.backup"),
        (["restore", "place"], "copies.restore"),
        (["restore", "place", "--object", "Room/a"], "copies.restore"),
        (["restore", "--object", "Room/a", "--at=-10m"], "rewind.rewind"),
        (["restore", "place", "--object", "Room/a", "--at=-10m"], "copies.restore"),
        (["restore", "--at=-10m"], "copies.restore"),
        (["import-wrangler"], "wrangler_state.import_wrangler"),
        (["tail"], "tail.tail"),
        (["top"], "top.top"),
        (["drain"], "drain.drain"),
        (["token"], "token.token"),
    ],
)
def test_what_is_called(words: list[str], called: str, monkeypatch: pytest.MonkeyPatch) -> None:
    options, console = parsed(*words), Console()
    monkeypatch.setattr(f"durabase.cli.{called}", lambda *given: 5 if given == (options, console) else 6)
    assert options.command(options, console) == 5


@pytest.mark.parametrize(
    "words",
    [
        ["objects"],
        ["objects", "show", "Room"],
        ["top", "--limit", "0"],
        ["top", "--interval", "0"],
        ["token", "--expires", "soon"],
        ["restore", "--at", "soon"],
        ["serve", "--durability", "some"],
    ],
)
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed(*words)
    assert caught.value.code == 2
    assert "[ERROR]" in capsys.readouterr().err
