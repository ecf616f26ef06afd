"""The arguments for operating a server: options of those that serve, and ``objects`` and ``tail``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from durabase.cli.parsing import Commands, add_command
from durabase.cli.values import address, days, duration, moment, positive, seconds

if TYPE_CHECKING:
    from durabase.cli.console import Console

__all__ = [
    "add_access_options",
    "add_copies",
    "add_drain",
    "add_objects",
    "add_storage_options",
    "add_tail",
    "add_tls_options",
    "add_token",
    "add_top",
    "add_watching_options",
]


def add_watching_options(parser: argparse.ArgumentParser) -> None:
    """Add what a server tells of itself, and where."""
    parser.add_argument(
        "--admin",
        metavar="[HOST:]PORT",
        type=address,
        help="serve health, metrics and administration there (HOST: 127.0.0.1)",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="json: one record per line (default: text)",
    )
    parser.add_argument(
        "--opentelemetry",
        action="store_true",
        help="export traces and metrics; the OTEL_* variables of the environment say where to",
    )
    parser.add_argument(
        "--watchdog-seconds",
        metavar="N",
        type=float,
        default=1.0,
        help="report code that holds up all others for longer, with its stack; 0: never (default: 1)",
    )


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Add how objects keep what they keep."""
    parser.add_argument(
        "--durability",
        choices=("full", "normal", "off"),
        default="full",
        help="what survives a power cut: full: all that was acknowledged; normal: all but the last commits; "
        "off: perhaps nothing (default: full)",
    )
    parser.add_argument(
        "--history",
        metavar="DAYS",
        dest="history_days",
        type=days,
        nargs="?",
        const=30.0,
        help="let objects of SQLite classes go back in time: so many days (30; default: not at all)",
    )
    parser.add_argument(
        "--strict",
        dest="is_strict",
        action="store_true",
        help="store and refuse values as Cloudflare does",
    )


def add_access_options(parser: argparse.ArgumentParser) -> None:
    """Add who is let in."""
    parser.add_argument(
        "--allow-origin",
        metavar="ORIGIN",
        dest="origins",
        action="append",
        default=[],
        help="pages of this origin only may open WebSockets, and have rooms by HTTP; "
        "`same`: the server's own; may be repeated",
    )
    parser.add_argument(
        "--trust-proxy",
        metavar="NETWORK",
        dest="trusted_proxies",
        action="append",
        default=[],
        help="believe the X-Forwarded headers of a proxy at this address; may be repeated",
    )
    parser.add_argument(
        "--max-connections",
        metavar="N",
        dest="connections_per_address",
        type=positive,
        help="how many connections one address may have (default: any number)",
    )


def add_tls_options(parser: argparse.ArgumentParser) -> None:
    """Add what it takes to speak TLS."""
    parser.add_argument(
        "--tls-cert",
        metavar="FILE",
        dest="certificate",
        type=Path,
        help="speak TLS, with this chain of certificates (PEM); read anew when it is renewed",
    )
    parser.add_argument(
        "--tls-key", metavar="FILE", dest="certificate_key", type=Path, help="its private key (PEM)"
    )


def add_objects(commands: Commands) -> None:
    """Add ``objects`` with its own commands."""
    objects = add_command(commands, "objects", "look at the objects of a project, and change them")
    actions = objects.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = _action(actions, "list", "list objects that keep anything or are in memory")
    listing.add_argument("class_name", metavar="CLASS", nargs="?", help="of this class only")
    listing.add_argument("--search", metavar="TEXT", help="whose names have this in them")
    listing.add_argument(
        "--limit", metavar="N", type=int, default=100, help="how many at most (default: 100)"
    )
    _one(actions, "show", "show what an object keeps")
    entries = _one(actions, "entries", "list an object's keys and values")
    entries.add_argument("--prefix", metavar="TEXT", help="of keys that begin with this")
    entries.add_argument(
        "--limit", metavar="N", type=int, default=100, help="how many at most (default: 100)"
    )
    sql = _one(actions, "sql", "run SQL in an object's database")
    sql.add_argument("query", metavar="QUERY", help="the statements")
    sql.add_argument("parameters", metavar="VALUE", nargs="*", help="the parameters of the last one")
    sql.add_argument("--write", action="store_true", help="let it change something")
    evict = _one(actions, "evict", "let an object's instance go; data stay")
    evict.add_argument("--close-sockets", action="store_true", help="close its sockets, too (1001)")
    abort = _one(actions, "abort", "end an object's life at once")
    abort.add_argument("--reason", metavar="TEXT", help="what callers are told")
    history = _one(actions, "history", "list who changed what of an object, the newest first")
    history.add_argument("--cell", metavar="TABLE/ROW/CELL", help="only this; or TABLE/ROW, or TABLE")
    history.add_argument("--value", metavar="ID", help="only this value of its store")
    history.add_argument("--key", metavar="KEY", help="only this key")
    history.add_argument("--before", metavar="NUMBER", type=int, help="only before this entry")
    history.add_argument(
        "--limit", metavar="N", type=int, default=100, help="how many at most (default: 100)"
    )
    export = _one(actions, "export", "write all that an object keeps to a file, or to standard output")
    export.add_argument("-o", "--output", metavar="FILE", type=Path, help="the file")
    taking = _one(actions, "import", "let an object keep what was exported, of itself or of another one")
    taking.add_argument("file", metavar="FILE", type=Path, help="what was exported")
    taking.add_argument("--replace", action="store_true", help="delete what it keeps now")
    delete = _one(actions, "delete", "delete all that an object keeps")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def add_copies(commands: Commands) -> None:
    """Add ``backup``, ``restore`` and ``import-wrangler``."""
    backup = add_command(commands, "backup", "copy objects to files, also while their server runs")
    backup.add_argument(
        "place", metavar="PLACE", type=Path, help="a file for one object; a directory for all"
    )
    backup.add_argument("--object", metavar="CLASS/NAME", help="only this one (default: all)")
    backup.set_defaults(command=_backup)
    restore = add_command(commands, "restore", "put copies back, or an object to what it was at a time")
    restore.add_argument("place", metavar="PLACE", type=Path, nargs="?", help="the file, or the directory")
    restore.add_argument("--object", metavar="CLASS/NAME", help="which object it becomes (default: its own)")
    restore.add_argument("--replace", action="store_true", help="let go of what the objects keep now")
    restore.add_argument(
        "--at",
        metavar="TIME",
        type=moment,
        help="without PLACE: what it was then: 2026-11-29T13:00, -10m, '10 minutes ago', a bookmark",
    )
    restore.add_argument("--dry-run", action="store_true", help="with --at: only show what would change")
    restore.set_defaults(command=_restore)
    taking = add_command(commands, "import-wrangler", "take over the objects of `wrangler dev`")
    taking.add_argument("place", metavar="DIR", nargs="?", type=Path, help="where (default: .wrangler/state)")
    taking.add_argument("--replace", action="store_true", help="let go of what the objects keep now")
    taking.set_defaults(command=_import_wrangler)
    for parser in (backup, restore, taking):
        _add_common(parser)


def add_tail(commands: Commands) -> None:
    """Add ``tail``."""
    tail = add_command(commands, "tail", "follow what a server does")
    _add_common(tail)
    many = (
        ("--status", "status", "ok, error or canceled"),
        ("--class", "class_name", "of this class of objects, or entrypoint"),
        ("--object", "object", "of the object with this name or id"),
        ("--kind", "kind", "of this handler or method, such as fetch, alarm or web_socket_message"),
        ("--method", "method", "of requests with this method"),
    )
    for option, name, about in many:
        tail.add_argument(option, metavar="TEXT", dest=name, action="append", default=[], help=about)
    tail.add_argument("--search", metavar="TEXT", help="in which this occurs")
    tail.add_argument("--sampling", metavar="PART", help="only this part of them, such as 0.1")
    tail.set_defaults(command=_tail)


def add_top(commands: Commands) -> None:
    """Add ``top``."""
    top = add_command(commands, "top", "what a server's objects do right now, as a table")
    _add_common(top)
    top.add_argument("--once", action="store_true", help="show one table, of one interval, and end")
    top.add_argument(
        "--interval", metavar="SECONDS", type=seconds, default=2.0, help="how long one is (default: 2)"
    )
    top.add_argument(
        "--limit", metavar="N", type=positive, default=50, help="how many objects at most (default: 50)"
    )
    top.add_argument(
        "--sort",
        metavar="COLUMN",
        choices=("events", "messages", "sockets", "time", "errors", "size", "name"),
        default="events",
        help="events, messages, sockets, time, errors, size or name (default: events)",
    )
    top.add_argument("--by-class", action="store_true", help="show classes in place of objects")
    top.set_defaults(command=_top)


def add_drain(commands: Commands) -> None:
    """Add ``drain``."""
    drain = add_command(commands, "drain", "have load balancers look elsewhere, and let clients go")
    _add_common(drain)
    drain.add_argument("--close", action="store_true", help="refuse requests, and close sockets (1012), too")
    drain.add_argument(
        "--seconds", metavar="N", type=int, default=10, help="over how long sockets are closed (default: 10)"
    )
    drain.add_argument("--undo", action="store_true", help="take it back")
    drain.set_defaults(command=_drain)


def add_token(commands: Commands) -> None:
    """Add ``token``."""
    token = add_command(commands, "token", "make a token for rooms, or a key that signs them")
    token.add_argument(
        "paths", metavar="PATH", nargs="*", help="a path; docs/* for all below docs/; * for all"
    )
    token.add_argument(
        "--level",
        choices=("read", "write", "admin"),
        default="write",
        help="what its bearer may do (default: write)",
    )
    token.add_argument("--for", metavar="IDENTITY", dest="identity", default="", help="who that is")
    token.add_argument(
        "--expires", metavar="TIME", type=duration, default="1h", help="90s, 15m, 1h, 30d (default: 1h)"
    )
    token.add_argument("--key-file", metavar="FILE", type=Path, help="where the keys are, one a line")
    token.add_argument(
        "--key-env",
        metavar="NAME",
        default="ROOM_KEYS",
        help="the variable that holds them, without a file (default: ROOM_KEYS)",
    )
    token.add_argument("--new-key", action="store_true", help="make a new key instead")
    token.set_defaults(command=_token)


def _action(actions: Commands, name: str, about: str) -> argparse.ArgumentParser:
    action = add_command(actions, name, about)
    _add_common(action)
    action.set_defaults(command=_objects, action=name)
    return action


def _one(actions: Commands, name: str, about: str) -> argparse.ArgumentParser:
    action = _action(actions, name, about)
    action.add_argument("class_name", metavar="CLASS", help="its class")
    action.add_argument("name", metavar="NAME", help="its name")
    action.add_argument("--id", action="store_true", help="NAME is the object's id")
    return action


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--admin", metavar="URL", help="the admin address of a server (default: found)")
    parser.add_argument(
        "-c", "--config", metavar="FILE", dest="configs", type=Path, action="append", default=[],
        help="the configuration file or project (default: here); repeated: further workers",
    )  # fmt: skip
    parser.add_argument("--env", metavar="NAME", dest="environment", help="the environment to use")
    parser.add_argument("--persist-to", metavar="DIR", type=Path, help="where data is kept")


def _objects(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.objects import objects

    return objects(options, console)


def _backup(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.copies import backup

    return backup(options, console)


def _restore(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.copies import restore
    from durabase.cli.rewind import rewind

    is_past = options.at is not None and options.object is not None and options.place is None
    return rewind(options, console) if is_past else restore(options, console)


def _import_wrangler(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.wrangler_state import import_wrangler

    return import_wrangler(options, console)


def _tail(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.tail import tail

    return tail(options, console)


def _top(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.top import top

    return top(options, console)


def _drain(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.drain import drain

    return drain(options, console)


def _token(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.token import token

    return token(options, console)
