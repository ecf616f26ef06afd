"""What an application serves: workers and sync servers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durabase import MergeableStore
from durabase.asgi import asgi_app
from durabase.durable_objects.storage.lock import FolderLock
from durabase.errors import ConfigError, StorageInUseError
from durabase.persisters import FilePersister
from durabase.sync_server import WsServer, WsServerSimple
from durabase.workers.config import load_config
from unit.asgi.driver import CONNECT, Call, answer, run, scope, text, web_socket_scope
from unit.workers.programs import ROOM, TOML, write_program

PROGRAM = """
    from durabase.workers import DurableObject, Response, WorkerEntrypoint

    class Room(DurableObject):
        async def fetch(self, request):
            count = (await self.ctx.storage.get("count") or 0) + 1
            await self.ctx.storage.put("count", count)
            return Response(f"{self.ctx.id.name} {count} {self.env.GREETING}")

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return await self.env.ROOM.get_by_name(request.url.rsplit("/", 1)[1]).fetch(request)
"""
VARS = '\n[vars]\nGREETING = "hello"\n'


def project(directory: Path) -> Path:
    return write_program(directory, PROGRAM, TOML + ROOM + VARS)


async def body(app: object, path: str = "/room") -> str:
    return b"".join(m["body"] for m in (await answer(app, scope(path=path)))[1:]).decode()


def test_a_worker_by_its_directory_file_or_configuration(tmp_path: Path) -> None:
    place = project(tmp_path)

    async def main() -> None:
        for count, served in enumerate((place, str(place / "wrangler.toml"), load_config(place)[0]), 1):
            async with asgi_app(served) as app:
                assert await body(app, "/a%20b") == f"a%20b {count} hello"
        assert (place / ".durabase" / "state").is_dir()

    run(main())


def test_variables_and_the_directory_of_data_can_be_others(tmp_path: Path) -> None:
    place = project(tmp_path / "project")

    async def main() -> None:
        async with asgi_app(place, vars={"GREETING": "bye"}, state_dir=tmp_path / "data") as app:
            assert await body(app) == "room 1 bye"
        assert (tmp_path / "data").is_dir()
        assert not (place / ".durabase").exists()

    run(main())


def test_what_is_wrong_is_told_when_it_starts(tmp_path: Path) -> None:
    async def main() -> None:
        app = asgi_app(tmp_path / "nothing.toml")
        with pytest.raises(ConfigError):
            await answer(app, scope())

    run(main())


def test_a_second_process_on_the_same_data_is_told_what_to_do(tmp_path: Path) -> None:
    place = project(tmp_path)

    async def main() -> None:
        app = asgi_app(place)
        async with app:
            await body(app)
            with pytest.raises(StorageInUseError, match=r"in use by another process.*--workers 1"):
                await answer(asgi_app(place), scope())
            async with Call(asgi_app(place), {"type": "lifespan"}, {"type": "lifespan.startup"}) as call:
                failed = await call.next()
                assert "--workers 1" in failed["message"]
        async with asgi_app(place) as again:
            assert await body(again) == "room 2 hello"

    run(main())


def test_pages_of_other_origins_open_no_web_sockets(tmp_path: Path) -> None:
    async def status(app: object, origin: bytes) -> object:
        asked = web_socket_scope()
        asked["headers"].append((b"origin", origin))
        async with Call(app, asked, CONNECT) as call:
            return (await call.next()).get("status", 101)

    async def main() -> None:
        async with asgi_app(WsServerSimple(), origins=["same", "https://app.example"]) as app:
            assert await status(app, b"https://evil.example") == 403
            assert await status(app, b"https://app.example") == 101
            assert await status(app, b"http://example.com") == 101

    run(main())
    with pytest.raises(ValueError, match="is no origin"):
        asgi_app(WsServerSimple(), origins=["app.example"])


def test_the_lock_says_who_it_is_about(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    with pytest.raises(StorageInUseError):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_sync_server_keeps_the_stores_of_its_paths(tmp_path: Path) -> None:
    def persister(path_id: str) -> FilePersister:
        return FilePersister(MergeableStore(), tmp_path / f"{path_id}.json")

    async def main() -> None:
        server = WsServer(persister)
        app = asgi_app(server, prefix="/sync")
        async with app, Call(app, web_socket_scope("/sync/a%20b"), CONNECT) as call:
            assert (await call.next())["type"] == "websocket.accept"
            assert server.get_path_ids() == ["a%20b"]
            call.give(text('S\n["1",1,""]'))
            assert (await call.next())["text"].startswith("S\n")
            call.give({"type": "websocket.disconnect", "code": 1001})
            await call.over()
            refused = (await answer(app, scope(path="/sync/a")))[0]
            assert refused["status"] == 426
        assert (await answer(app, web_socket_scope("/sync/a"), CONNECT))[0]["status"] == 503
        assert (tmp_path / "a%20b.json").exists()

    run(main())


def test_two_clients_of_a_simple_server_meet() -> None:
    async def main() -> None:
        app = asgi_app(WsServerSimple())
        other = web_socket_scope(key=b"b")
        async with app, Call(app, web_socket_scope(), CONNECT) as one, Call(app, other, CONNECT) as two:
            await asyncio.gather(one.next(), two.next())
            one.give(text('b\n["1",1,""]'))
            assert (await two.next())["text"] == 'dGhlIHNhbXBsZSBub25jZQ==\n["1",1,""]'

    run(main())
