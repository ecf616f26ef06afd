"""Who is measured, and how each is started."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["BUILD", "COMPILED", "HERE", "SERVERS", "Protocol", "Spec", "install_peers"]

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
COMPILED = HERE.parent / ".stamps" / "compiled" / "bin" / "python"
"""A Python with durabase as users install it, its hot modules compiled; ``make bench`` makes it."""
PEERS = BUILD / "python" / "bin" / "python"
"""A Python with the servers of ``requirements.txt`` and without durabase."""

Protocol = Literal["tinybase", "yjs", "hocuspocus"]
"""What a server speaks; Hocuspocus puts Yjs's messages into envelopes of its own."""


@dataclass(frozen=True)
class Spec:
    """A server that can be measured.

    Attributes:
        label: how it is called in the tables.
        parts: its command line; ``{port}`` and ``{data}`` are filled in.
        keeps: whether it keeps the store or document (one for TinyBase answers as client ``S``, then),
            or only relays.
        ready_line: what it prints when it serves.
        variables: what it finds in its environment.
        protocol: what it speaks.
    """

    label: str
    parts: tuple[str, ...]
    keeps: bool
    ready_line: str = "LISTENING"
    variables: dict[str, str] = field(default_factory=dict)
    protocol: Protocol = "tinybase"

    def command(self, port: int, data: Path) -> list[str]:
        """The command line."""
        return [part.format(port=port, data=data) for part in self.parts]

    def environment(self, port: int, data: Path) -> dict[str, str]:
        """What it is told beside its command line."""
        return {"PORT": str(port), "DATA_DIR": str(data), **self.variables}


def _node(script: str) -> tuple[str, ...]:
    return ("node", str(HERE / "servers" / script))


def _durabase(project: str, python: str = str(COMPILED)) -> tuple[str, ...]:
    serve = ("-m", "durabase", "serve", str(HERE / "servers" / project))
    return (python, *serve, "--port", "{port}", "--persist-to", "{data}/state")


SERVERS: dict[str, Spec] = {
    "yardstick": Spec("C relay: the generator's ceiling", (str(BUILD / "wsrelay"), "{port}"), False, ""),
    "durabase-relay": Spec("durabase, relay", _durabase("durabase_relay"), False, "Ready on"),
    "pure-relay": Spec(
        "durabase, relay, not compiled", _durabase("durabase_relay", sys.executable), False, "Ready on"
    ),
    "node-relay": Spec("TinyBase Node server, relay", _node("tinybase_node.mjs"), False),
    "workerd-relay": Spec("TinyBase Durable Object, relay", _node("tinybase_object.mjs"), False),
    "durabase": Spec("durabase, stored", _durabase("durabase_store"), True, "Ready on"),
    "pure": Spec(
        "durabase, stored, not compiled", _durabase("durabase_store", sys.executable), True, "Ready on"
    ),
    "node": Spec(
        "TinyBase Node server, file", _node("tinybase_node.mjs"), True, variables={"PERSIST": "file"}
    ),
    "workerd": Spec(
        "TinyBase Durable Object, stored", _node("tinybase_object.mjs"), True, variables={"PERSIST": "kv"}
    ),
    "hocuspocus": Spec("Hocuspocus, in memory", _node("hocuspocus_node.mjs"), True, protocol="hocuspocus"),
    "y-websocket": Spec(
        "y-websocket, in memory",
        ("node", str(HERE / "node_modules" / "@y" / "websocket-server" / "src" / "server.js")),
        True,
        "running at",
        {"HOST": "127.0.0.1"},
        protocol="yjs",
    ),
    "pycrdt-websocket": Spec(
        "pycrdt-websocket, in memory",
        (str(PEERS), str(HERE / "servers" / "pycrdt_server.py")),
        True,
        protocol="yjs",
    ),
}


def install_peers(servers: Collection[str]) -> None:
    """Install what durabase is measured against: all of npm's, and PyPI's if one of these servers is."""
    _install(HERE / "package-lock.json", HERE / "node_modules", _install_from_npm)
    if any(str(PEERS) in SERVERS[server].parts for server in servers):
        _install(HERE / "requirements.txt", PEERS.parents[1], _install_from_pypi)


def _install(wanted: Path, place: Path, install: Callable[[Path, Path], None]) -> None:
    """Install what a file names, unless that is what has been installed there."""
    installed = place / "installed"
    if installed.exists() and installed.read_bytes() == wanted.read_bytes():
        return
    print(f"bench: installing the servers to compare with, of {wanted.name}", file=sys.stderr)
    install(wanted, place)
    shutil.copyfile(wanted, installed)


def _install_from_npm(lock: Path, _place: Path) -> None:
    if shutil.which("npm") is None:
        sys.exit("bench: Node.js 20 or newer with npm is needed for the servers to compare with.")
    subprocess.run(["npm", "ci", "--silent"], cwd=lock.parent, check=True)


def _install_from_pypi(requirements: Path, place: Path) -> None:
    venv.create(place, clear=True, with_pip=True)
    pip = [str(PEERS), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(requirements)], check=True)
