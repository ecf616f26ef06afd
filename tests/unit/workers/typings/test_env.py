"""``Env`` as text, and the stubs of what is behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.workers.loader import load_workers, unload_workers
from durabase.workers.typings.env import env_stub
from unit.workers.programs import TOML, program_config

PROGRAM = """
    from workers import DurableObject, WorkerEntrypoint

    class Room(DurableObject):
        async def visit(self, name: str, *, times: int = 1) -> list[str]: ...
        def plain(self, x): ...
        def fetch(self, request): ...
        def _own(self): ...
        @property
        def size(self) -> int: ...

    class Admin(WorkerEntrypoint):
        def add(self, a: int, b: int) -> int: ...
"""
BINDINGS = """
[vars]
TITLE = "x"
LIMIT = 5
RATE = 0.5
OPEN = true
DEEP = { a = 1 }
TOKEN = "x"

[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"

[[durable_objects.bindings]]
name = "THEIRS"
class_name = "Room"
script_name = "the-other"

[[durable_objects.bindings]]
name = "NOWHERE"
class_name = "Room"
script_name = "nowhere"

[[migrations]]
tag = "v1"
new_classes = ["Room"]

[[kv_namespaces]]
binding = "KV"

[[services]]
binding = "ADMIN"
service = "the-other"
entrypoint = "Admin"

[[services]]
binding = "SELF"
service = "app"
entrypoint = "Admin"

[assets]
directory = "."
binding = "ASSETS"
"""


@pytest.mark.feature("S-DX-5")
def test_all_kinds_of_bindings(tmp_path: Path) -> None:
    config = program_config(tmp_path / "a", PROGRAM, TOML + BINDINGS).with_secrets({"TOKEN": "t", "KEY": "k"})
    other = program_config(tmp_path / "b", PROGRAM, TOML.replace('"app"', '"the-other"'))
    workers = load_workers([config, other])
    text = env_stub(list(zip([config, other], workers, strict=True)), {})
    unload_workers(workers)
    room = """(DurableObjectStub):
    def plain(self, x: Any) -> Awaitable[Any]: ...
    @property
    def size(self) -> Awaitable[int]: ...
    def visit(self, name: str, *, times: int = ...) -> Awaitable[builtins.list[str]]: ...
"""
    admin = """(Service):
    def add(self, a: int, b: int) -> Awaitable[int]: ...
"""
    assert f"\nclass RoomStub{room}\nclass TheOtherRoomStub{room}" in text
    assert f"\nclass TheOtherAdminStub{admin}\nclass AdminStub{admin}" in text
    assert text.endswith("""
class Env(Protocol):
    TITLE: str
    LIMIT: int
    RATE: float
    OPEN: bool
    DEEP: Any
    TOKEN: str
    KEY: str
    KV: KvNamespace
    ROOM: DurableObjectNamespace[RoomStub]
    THEIRS: DurableObjectNamespace[TheOtherRoomStub]
    NOWHERE: DurableObjectNamespace[Any]
    ADMIN: TheOtherAdminStub
    SELF: AdminStub
    ASSETS: Assets
""")


def test_no_bindings(tmp_path: Path) -> None:
    config = program_config(tmp_path, PROGRAM)
    workers = load_workers([config])
    unload_workers(workers)
    assert env_stub([(config, workers[0])], {}).endswith("class Env(Protocol):\n    ...\n")
