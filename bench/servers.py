"""Who is measured, and how each is started."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["BUILD", "COMPILED", "HERE", "SERVERS", "Spec", "install_peers"]

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
COMPILED = HERE.parent / ".stamps" / "compiled" / "bin" / "python"
"""A Python with durabase as users install it, its hot modules compiled; ``make bench`` makes it."""


@dataclass(frozen=True)
class Spec:
    """A server that can be measured.

    Attributes:
        label: how it is called in the tables.
        parts: its command line; ``{port}`` and ``{data}`` are filled in.
        keeps: whether it keeps the store (and answers as client ``S``), or only relays.
        ready_line: what it prints when it serves.
    """

    label: str
    parts: tuple[str, ...]
    keeps: bool
    ready_line: str = "LISTENING"
    variables: dict[str, str] = field(default_factory=dict)

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
}


def install_peers() -> None:
    """Install from npm what durabase is measured against, once."""
    if (HERE / "node_modules" / ".package-lock.json").exists():
        return
    if shutil.which("npm") is None:
        sys.exit("bench: Node.js 20 or newer with npm is needed for the servers to compare with.")
    print("bench: installing the servers to compare with from npm", file=sys.stderr)
    subprocess.run(["npm", "ci", "--silent"], cwd=HERE, check=True)
