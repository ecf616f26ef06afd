"""Server programs of these tests, written to a folder and served by processes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ROOM = """
from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint

class TinyBaseDurableObject(WsServerDurableObject):
    def create_persister(self):
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects")
"""
"""The program that the documentation shows."""

ROOM_CLASS = "TinyBaseDurableObject"
_CONFIG = """
name = "hostile"
main = "index.py"
compatibility_date = "2026-11-01"
"""
_BINDING = """
[[durable_objects.bindings]]
name = "{name}s"
class_name = "{name}"

[[migrations]]
tag = "{name}"
new_classes = ["{name}"]
"""


def write_project(folder: Path, program: str = ROOM, class_names: Sequence[str] = (ROOM_CLASS,)) -> Path:
    """A project with no client, whose rooms are what ``program`` says."""
    project = folder / "project"
    project.mkdir(parents=True, exist_ok=True)
    bindings = "".join(_BINDING.format(name=name) for name in class_names)
    (project / "wrangler.toml").write_text(_CONFIG + bindings)
    (project / "index.py").write_text(program)
    return project
