"""The command ``durabase``: parses, calls, and turns errors into one clear line and an exit code.

Exit codes: 0 stopped as asked, 2 wrong usage or configuration, 1 anything else. What a command
needs is imported when it is chosen, so that ``--version`` and ``new`` are quick.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.operating import (
    add_access_options,
    add_copies,
    add_drain,
    add_objects,
    add_storage_options,
    add_tail,
    add_tls_options,
    add_token,
    add_top,
    add_watching_options,
)
from durabase.cli.options import ServeOptions
from durabase.cli.parsing import Commands, Parser, add_command
from durabase.cli.values import port, positive, with_times
from durabase.errors import ConfigError, DurabaseError
from durabase.templates import DEFAULT_TEMPLATE, TEMPLATES

__all__ = ["main", "parser"]

_OLDEST_PYTHON = (3, 11)
_SERVER_EXTRA = ("h11", "watchfiles")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    console = Console()
    if sys.version_info < _OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        console.error(f"durabase needs Python 3.11 or newer; this is {found} ({sys.executable}).")
        return 1
    words = with_times(list(sys.argv[1:] if arguments is None else arguments))
    if not words:
        parser().print_help(sys.stderr)
        return 2
    options = parser().parse_args(words)
    options.arguments = words
    if getattr(options, "log_format", "text") == "json":
        console = _json_console()
    command: Callable[[argparse.Namespace, Console], int] = options.command
    try:
        return command(options, console)
    except KeyboardInterrupt:
        console.passed()
        return 0
    except ConfigError as error:
        console.error(str(error))
        return 2
    except ModuleNotFoundError as error:
        if error.name not in _SERVER_EXTRA:
            raise
        console.error(f"{error.name} is missing. Install what serving needs: pip install 'durabase[server]'")
        return 1
    except (DurabaseError, OSError) as error:
        console.error(str(error))
        return 1


def _json_console() -> Console:
    from durabase.cli.json_console import JsonConsole

    return JsonConsole()


def parser() -> argparse.ArgumentParser:
    """What the command line may be."""
    root = Parser(
        prog="durabase", description="Durable Objects and TinyBase sync, in Python, on your machine."
    )
    root.add_argument("--version", action="version", version=f"durabase {_version()}")
    commands = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_new(commands)
    _add_dev(commands)
    _add_serve(commands)
    _add_check(commands)
    _add_types(commands)
    _add_doctor(commands)
    add_objects(commands)
    add_copies(commands)
    add_tail(commands)
    add_top(commands)
    add_drain(commands)
    add_token(commands)
    return root


def _version() -> str:
    try:
        return version("durabase")
    except PackageNotFoundError:
        return "(not installed)"


def _add_new(commands: Commands) -> None:
    new = add_command(commands, "new", "make a project")
    new.add_argument("name", metavar="NAME", help="its name, and the directory to make")
    new.add_argument(
        "--template",
        choices=tuple(TEMPLATES),
        default=DEFAULT_TEMPLATE,
        help=f"what to make it of: {', '.join(TEMPLATES)} (default: {DEFAULT_TEMPLATE})",
        metavar="TEMPLATE",
    )
    new.set_defaults(command=_new)


def _add_dev(commands: Commands) -> None:
    dev = add_command(commands, "dev", "serve a project while you work on it")
    _add_place(dev)
    _add_serving_options(dev)
    dev.add_argument(
        "--no-client-dev",
        dest="client_dev",
        action="store_false",
        help="serve the built client instead of starting Vite",
    )
    dev.add_argument(
        "--test-scheduled",
        action="store_true",
        help="run the scheduled handler at /__scheduled?cron=* * * * *",
    )
    dev.set_defaults(command=_dev)


def _add_serve(commands: Commands) -> None:
    serve = add_command(commands, "serve", "serve a project in production, with its built client")
    _add_place(serve)
    _add_serving_options(serve)
    serve.add_argument(
        "--delete-classes",
        action="store_true",
        help="let new migrations delete classes with all their objects",
    )
    serve.add_argument(
        "--processes",
        metavar="N",
        type=positive,
        help="share the objects among so many processes, which SIGHUP starts anew one after the other "
        "(default: one that can't be)",
    )
    serve.set_defaults(command=_serve)


def _add_demo(commands: Commands) -> None:
    demo = add_command(commands, "demo", "serve the demo app, client included; nothing to install")
    _add_serving_options(demo)
    demo.set_defaults(command=_demo)


def _add_check(commands: Commands) -> None:
    check = add_command(commands, "check", "say whether a project would start, and what it has")
    _add_place(check)
    _add_state(check)
    check.add_argument("--json", action="store_true", help="answer as JSON")
    check.set_defaults(command=_check)


def _add_types(commands: Commands) -> None:
    types = add_command(commands, "types", "write types of a project's env and modules, for editors")
    _add_place(types)
    types.add_argument("--output", metavar="DIR", type=Path, help="where to (default: typings)")
    types.add_argument("--check", action="store_true", help="only say whether they are up to date")
    types.set_defaults(command=_types)


def _add_doctor(commands: Commands) -> None:
    doctor = add_command(commands, "doctor", "say whether this machine is fit to serve, and what to do")
    _add_place(doctor)
    _add_state(doctor)
    doctor.add_argument(
        "--url", metavar="URL", help="try the way to a server, too, at a path with WebSockets"
    )
    doctor.add_argument("--admin", metavar="URL", help="the admin address of that server (default: found)")
    doctor.add_argument(
        "--sockets", metavar="N", type=positive, default=1000, help="how many are expected (default: 1000)"
    )
    doctor.add_argument(
        "--patience",
        metavar="SECONDS",
        type=float,
        default=45.0,
        help="how long a ping may take (default: 45)",
    )
    doctor.add_argument("--json", action="store_true", help="answer as JSON")
    doctor.set_defaults(command=_doctor)


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--persist-to", metavar="DIR", type=Path, help="where data is kept (default: .durabase/state)"
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "place", metavar="DIR", nargs="?", type=Path, default=Path(), help="the project (default: here)"
    )
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        dest="configs",
        type=Path,
        action="append",
        default=[],
        help="the configuration file; repeated: further workers, for the first one's bindings",
    )
    parser.add_argument("--env", metavar="NAME", dest="environment", help="the environment to use")


def _add_serving_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="N", type=port, help="the port (default: 8787; 0 for any)")
    parser.add_argument("--ip", metavar="ADDRESS", help="the address (default: 127.0.0.1; 0.0.0.0 for all)")
    parser.add_argument(
        "--var",
        metavar="K:V",
        dest="variables",
        action="append",
        type=_variable,
        default=[],
        help="set a variable of env; may be repeated",
    )
    _add_state(parser)
    parser.add_argument(
        "--max-value-bytes",
        metavar="N",
        type=positive,
        default=ServeOptions.__dataclass_fields__["max_value_bytes"].default,
        help="the largest value that a key-value object may store (default: 131072)",
    )
    parser.add_argument(
        "--idle-seconds",
        metavar="N",
        type=float,
        default=ServeOptions.__dataclass_fields__["idle_seconds"].default,
        help="how long an object is quiet before it hibernates (default: 10)",
    )
    add_storage_options(parser)
    add_watching_options(parser)
    add_access_options(parser)
    add_tls_options(parser)


def _variable(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not name or not colon:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME:VALUE")
    return name, value


def _serve_options(options: argparse.Namespace, places: Sequence[Path]) -> ServeOptions:
    return ServeOptions(
        place=places[0],
        others=tuple(places[1:]),
        ip=options.ip,
        port=options.port,
        environment=getattr(options, "environment", None),
        variables=dict(options.variables),
        persist_to=options.persist_to,
        client_dev=getattr(options, "client_dev", False),
        test_scheduled=getattr(options, "test_scheduled", False),
        delete_classes=getattr(options, "delete_classes", True),
        idle_seconds=options.idle_seconds,
        watchdog_seconds=options.watchdog_seconds,
        max_value_bytes=options.max_value_bytes,
        is_strict=options.is_strict,
        history_days=options.history_days,
        durability=options.durability,
        admin=options.admin,
        log_format=options.log_format,
        opentelemetry=options.opentelemetry,
        origins=tuple(options.origins),
        trusted_proxies=tuple(options.trusted_proxies),
        connections_per_address=options.connections_per_address,
        certificate=options.certificate,
        certificate_key=options.certificate_key,
        processes=getattr(options, "processes", None),
        arguments=tuple(options.arguments),
    )


def _new(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.new import new

    return new(options.name, options.template, console)


def _dev(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.dev import dev

    return dev(_serve_options(options, options.configs or [options.place]), console)


def _serve(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.serve import serve

    return serve(_serve_options(options, options.configs or [options.place]), console)


def _demo(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.demo import demo

    return demo(_serve_options(options, [Path()]), console)


def _check(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.check import check

    return check(options, console)


def _doctor(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.doctor import doctor

    return doctor(options, console)


def _types(options: argparse.Namespace, console: Console) -> int:
    from durabase.cli.types import types

    return types(options, console)
