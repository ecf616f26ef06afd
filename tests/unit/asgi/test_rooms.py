"""Rooms for edits from the application around: with await, and from threads."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durabase import MergeableStore
from durabase.asgi import AsgiApp, asgi_app
from durabase.errors import ServerError, SyncError
from durabase.persisters import FilePersister
from durabase.sync_server import WsServer, WsServerSimple
from durabase.templates import demo_server_dir
from unit.asgi.driver import CONNECT, Call, run, text, web_socket_scope
from unit.workers.programs import write_program


def worker(folder: Path) -> AsgiApp:
    return asgi_app(demo_server_dir(), state_dir=folder)


def files(folder: Path) -> AsgiApp:
    return asgi_app(WsServer(lambda path_id: FilePersister(MergeableStore(), folder / f"{path_id}.json")))


@pytest.mark.parametrize("make", [worker, files])
def test_edits_are_kept_and_reach_clients(make: type[AsgiApp], tmp_path: Path) -> None:
    async def main() -> None:
        async with make(tmp_path) as app, app.room("a%20b") as room:
            room.store.set_value("v", 1)
        async with make(tmp_path) as app, app.room("a%20b") as room:
            assert room.store.get_values() == {"v": 1}
            async with Call(app, web_socket_scope("/a%20b"), CONNECT) as call:
                await call.next()
                call.give(text('S\n["abcdefghijk",1,""]'))
                while ",0,[" not in (answer := (await call.next())["text"]):
                    pass
                assert answer.startswith('S\n["abcdefghijk",0,[')  # its hashes

    run(main())


@pytest.mark.parametrize("make", [worker, files])
def test_plain_functions_edit_from_their_threads(make: type[AsgiApp], tmp_path: Path) -> None:
    async def main() -> None:
        async with make(tmp_path) as app:

            def handler() -> None:
                with app.blocking_room("p") as room, room.transaction():
                    room.store.set_value("v", 1)
                    room.store.set_value("w", 2)

            await asyncio.to_thread(handler)
            with pytest.raises(SyncError, match=r"async with app\.room"), app.blocking_room("p"):
                pass
            async with app.room("p") as room:
                assert room.store.get_values() == {"v": 1, "w": 2}

    run(main())


def test_a_room_starts_the_application_as_a_request_does(tmp_path: Path) -> None:
    async def main() -> None:
        app = worker(tmp_path)
        with pytest.raises(ServerError, match="not been started"), app.blocking_room("p"):
            pass
        room = await app.room("p")
        room.store.set_value("v", 1)
        await room.saved()
        await app.__aexit__(None, None, None)
        assert not room.is_open
        with pytest.raises(ServerError, match="has stopped"):
            await app.room("p")

    run(main())


TWO = """
name = "two"
main = "index.py"
compatibility_date = "2026-11-01"
vars = { PLAIN = "text" }
[[durable_objects.bindings]]
name = "ONE"
class_name = "One"
[[durable_objects.bindings]]
name = "OTHER"
class_name = "Other"
[[migrations]]
tag = "v1"
new_classes = ["One", "Other"]
"""
PROGRAM = """
    from durabase import MergeableStore
    from durabase.persisters import DurableObjectStoragePersister
    from durabase.sync_server import WsServerDurableObject, ws_server_fetch
    from durabase.workers import WorkerEntrypoint

    class One(WsServerDurableObject):
        def create_persister(self):
            return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

    class Other(One):
        pass

    class Default(WorkerEntrypoint):
        fetch = ws_server_fetch("ONE")
"""


def test_of_several_classes_one_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        async with asgi_app(write_program(tmp_path, PROGRAM, TWO)) as app:
            with pytest.raises(ServerError, match=r"which binding.*: ONE, OTHER"):
                await app.room("p")
            with pytest.raises(ServerError, match="'PLAIN' is no binding of Durable Objects"):
                await app.room("p", "PLAIN")
            async with app.room("p", "OTHER") as room:
                room.store.set_value("v", 1)
            async with app.room("p", "ONE") as room:
                assert room.store.get_values() == {}

    run(main())


def test_sync_servers_have_no_bindings_and_simple_ones_no_stores(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(ServerError, match="no bindings, so none called 'ONE'"):
            await files(tmp_path).room("p", "ONE")
        with pytest.raises(ServerError, match="WsServerSimple keeps no stores"):
            await asgi_app(WsServerSimple()).room("p")

    run(main())
