"""The door of a room that is an object: access over sleep, refresh, limits, and the worker before it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import (
    Access,
    Allowance,
    ClientLimits,
    Rules,
    WsServerDurableObject,
    ws_server_fetch,
)
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.sync_server._fakes import FakeContext, FakePort, ObjectSockets

NOW = 1_708_981_571_441
HLC = "NrbEJxl---0dmwzH"
DIFF = f'\n["abcdefghijk",3,[[{{}}],[{{"v":[7,"{HLC}"]}}],1]]'
OVER = (4401, "the access to this room is over")


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def by_name(request: Request, path_id: str) -> Access | None:
    """Who is named in the query, at the level named there."""
    name, _, level = request.url.partition("as=")[2].partition("&")[0].partition(".")
    return Access(level, name, expires_at=NOW / 1000 + 60) if name else None


class Room:
    """An object on a fake context, whose clients come as requests."""

    def __init__(self, **attributes: Any) -> None:
        self.clock = FakeClock(NOW)
        self.ctx = FakeContext()
        self.sockets = ObjectSockets(self.ctx)
        self.store: MergeableStore
        self.errors: list[str] = []
        room = self

        class Staged(WsServerDurableObject):
            clock = room.clock

            def create_persister(self) -> Any:
                room.store = MergeableStore("server", clock=room.clock)
                return DurableObjectStoragePersister(room.store, self.ctx.storage)

            def on_ignored_error(self, error: Exception) -> None:
                room.errors.append(str(error))

        self.cls = type("Room", (Staged,), attributes)

    async def wake(self) -> Any:
        return await self.sockets.construct(self.cls)

    async def fetch(self, request: Request) -> Response:
        said = self.sockets.object.fetch(request)
        response = said if isinstance(said, Response) else await said
        assert isinstance(response, Response)
        return response

    async def ask(self, target: str, key: str = "k", cf: Any = None, **headers: str) -> Response:
        asked = {"upgrade": "websocket", "sec-websocket-key": key, **headers}
        return await self.fetch(Request(f"http://h/{target}", headers=asked, cf=cf))

    async def post(self, target: str) -> Response:
        return await self.fetch(Request(f"http://h/{target}", method="POST"))

    async def join(self, target: str, key: str, cf: Any = None, **headers: str) -> FakePort:
        response = await self.ask(target, key, cf, **headers)
        assert response.status == 101, response.body_bytes()
        port = self.sockets.ports[key] = FakePort()
        assert response.web_socket is not None
        self.sockets._connections[key] = response.web_socket.connect(port)  # type: ignore[assignment]
        port.take()
        return port


def heard(port: FakePort) -> list[str]:
    """What a client has heard from others since the last time."""
    return [text for text in port.take() if not text.startswith("S\n")]


def asking(**attributes: Any) -> Room:
    return Room(authorize=lambda _self, request, path_id: by_name(request, path_id), **attributes)


@pytest.mark.parametrize(
    ("target", "status"), [("room", 401), ("room?as=n.none", 403), ("room?as=r.read", 101)]
)
def test_the_object_may_ask_itself(target: str, status: int) -> None:
    async def test() -> None:
        room = asking()
        await room.wake()
        assert (await room.ask(target)).status == status
        assert len(room.ctx.tags) == (status == 101)

    run(test)


def test_an_object_that_asks_nobody_answers_at_once() -> None:
    async def test() -> None:
        room = Room()
        instance = await room.wake()
        headers = {"upgrade": "websocket", "sec-websocket-key": "k"}
        assert isinstance(instance.fetch(Request("http://h/room", headers=headers)), Response)
        assert list(room.ctx.tags.values()) == [["k", "room"]]
        assert instance.get_access("k") == Access("write")

    run(test)


def test_access_is_kept_over_sleep() -> None:
    async def test() -> None:
        room = asking(rules=Rules({"values": {"title": {"write": "admin"}}}))
        await room.wake()
        ports = {name: await room.join(f"room?as={name}", name) for name in ("a.admin", "w.write", "r.read")}
        for sleeps in (False, True, True):
            if sleeps:
                await room.wake()
            accesses = [room.sockets.object.get_access(name) for name in [*ports, "x"]]
            assert [str(access.level) for access in accesses] == ["admin", "write", "read", "none"]
            assert accesses[0].identity == "a"
            title = DIFF.replace('"v"', '"title"')
            for sender, text in (("r.read", DIFF), ("r.read", title), ("w.write", title)):
                room.sockets.send(sender, text)
            assert [heard(port) for port in ports.values()] == [[], [], []]
            room.sockets.send("w.write", DIFF)
            room.sockets.send("a.admin", title)
            assert heard(ports["r.read"]) == ["w.write" + DIFF, "a.admin" + title]
            heard(ports["a.admin"])
            heard(ports["w.write"])

    run(test)


@pytest.mark.parametrize("path", ["room", "p" * 5000])
def test_the_path_and_its_length_do_not_matter(path: str) -> None:
    async def test() -> None:
        room = asking()
        await room.wake()
        await room.join(f"{path}?as=r.read", "R")
        await room.wake()
        assert room.sockets.object.get_path_id() == path
        assert room.sockets.object.get_access("R").identity == "r"

    run(test)


def test_nobody_comes_under_the_id_of_somebody_else() -> None:
    async def test() -> None:
        room = asking(authoritative=True, rules=Rules({"values": {"v": {"write": "admin"}}}))
        await room.wake()
        await room.join("room?as=a.admin", "A")
        for _ in range(2):
            assert (await room.ask("room?as=r.read", "A")).status == 409
            await room.wake()
        room.sockets.send("A", DIFF)
        assert room.store.get_values() == {"v": 7}
        room.sockets.close("A")
        await room.join("room?as=r.read", "A")

    run(test)


def test_without_its_entry_a_marked_socket_may_do_nothing() -> None:
    async def test() -> None:
        room = Room()
        await room.wake()
        cf = {"durabaseAccess": Access("admin").to_json()}
        await room.join("room", "A", cf)
        port = await room.join("room", "B", cf)
        room.sockets.socket("A").serialize_attachment({"mine": 1})
        room.sockets.send("A", DIFF)
        assert port.take() == []
        assert room.store.get_values() == {}

    run(test)


@pytest.mark.parametrize("sleeps", [False, True])
def test_an_access_ends_awake_or_asleep(sleeps: bool) -> None:
    async def test() -> None:
        room = asking()
        await room.wake()
        port = await room.join("room?as=w.write", "W")
        if sleeps:
            room.ctx.sleep()
        room.clock.advance(59_999)
        assert port.closed is None
        room.clock.advance(1)
        assert port.closed == OVER
        if sleeps:
            await room.wake()
        room.sockets.send("W", DIFF)
        assert room.store.get_values() == {}

    run(test)


def test_a_socket_that_has_gone_leaves_no_timer() -> None:
    async def test() -> None:
        room = asking()
        await room.wake()
        port = await room.join("room?as=w.write", "W")
        room.sockets._connections["W"].on_close(1000, "", True)
        room.clock.advance(100_000)
        assert port.closed is None

    run(test)


def test_a_refresh_reaches_sockets_of_the_session_only() -> None:
    async def test() -> None:
        room = asking()
        await room.wake()
        mine = await room.join("room?as=a.read&session=s", "A")
        other = await room.join("room?as=b.read&session=s", "B")
        room.sockets.send("A", DIFF)  # it has an inbox from now on
        room.clock.advance(30_000)
        later = lambda _self, request, path_id: Access("write", "a", expires_at=NOW / 1000 + 90)  # noqa: E731
        room.cls.authorize = later
        for target, status in (("room?session=x", 404), ("room", 426), ("room?session=s", 200)):
            assert (await room.post(target)).status == status
        room.sockets.send("A", DIFF)
        assert room.store.get_values() == {"v": 7}
        room.clock.advance(30_000)
        assert (mine.closed, other.closed) == (None, OVER)
        await room.wake()
        assert str(room.sockets.object.get_access("A").level) == "write"
        room.clock.advance(30_000)
        assert mine.closed == OVER

    run(test)


def test_a_flood_does_not_reach_the_object() -> None:
    async def test() -> None:
        limits = ClientLimits(connection=Allowance(messages_per_second=1, burst_seconds=3))
        room = Room(limits=limits)
        await room.wake()
        port = await room.join("room", "A")
        came: list[str] = []
        room.ctx.tags = {}
        sink: Any = room.sockets._connections["A"].sink
        sink._sink.on_text = came.append
        for number in range(6):
            sink.on_text(str(number))
        assert came == ["0", "1", "2"]
        assert (port.closed or (0,))[0] == 1008
        assert limits.refused_messages == 1

    run(test)


def test_connections_are_counted_over_all_objects_of_a_class() -> None:
    async def test() -> None:
        limits = ClientLimits(address=Allowance(connections=1))
        one, two = Room(limits=limits), Room(limits=limits)
        await one.wake()
        await two.wake()
        await one.join("one", "A", **{"cf-connecting-ip": "1.1.1.1"})
        refused = await two.ask("two", "B", **{"cf-connecting-ip": "1.1.1.1"})
        assert (refused.status, two.ctx.tags) == (429, {})
        one.sockets._connections["A"].on_close(1000, "", True)
        await two.join("two", "C", **{"cf-connecting-ip": "1.1.1.1"})

    run(test)


class TestTheWorkerBefore:
    @staticmethod
    def worker(room: Room, authorize: Any = by_name) -> Any:
        class Namespace:
            def id_from_name(self, name: str) -> str:
                return name

            def get(self, _id: str) -> Any:
                return SimpleNamespace(fetch=room.fetch)

        class Default:
            env = SimpleNamespace(ROOMS=Namespace())
            fetch = ws_server_fetch("ROOMS", authorize)

        return Default()

    @staticmethod
    def request(target: str, cf: Any = None, method: str = "GET", **headers: str) -> Request:
        asked = {"upgrade": "websocket", "sec-websocket-key": "k", **headers}
        return Request(f"http://h/{target}", headers=asked, method=method, cf=cf)

    def test_it_asks_before_the_object_is_reached(self) -> None:
        async def test() -> None:
            room = Room()  # not awake: it would fail
            worker = self.worker(room, lambda request, path_id: by_name(request, path_id))
            for target, status in (("room", 401), ("room?as=n.none", 403)):
                assert (await worker.fetch(self.request(target))).status == status
            refused = Response("no", 418)
            assert await self.worker(room, lambda *_: refused).fetch(self.request("room")) is refused
            await room.wake()
            assert (await worker.fetch(self.request("room?as=r.read"))).status == 101
            assert room.sockets.object.get_access("k") == Access("read", "r", expires_at=NOW / 1000 + 60)

        clock = FakeClock(NOW)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("durabase.sync_server.object_fetch.SystemClock", lambda: clock)
            run(test)

    def test_nobody_passes_an_access_from_outside(self) -> None:
        async def test() -> None:
            room = asking()
            await room.wake()
            worker = self.worker(room, None)
            forged = {
                "cf": json.dumps({"durabaseAccess": Access("admin").to_json()}),
                "durabaseaccess": "admin",
            }
            assert (await worker.fetch(self.request("room", **forged))).status == 401

        run(test)

    def test_a_refresh_goes_through(self) -> None:
        async def test() -> None:
            levels = ["read"]
            room = Room()
            await room.wake()
            worker = self.worker(room, lambda *_: Access(levels[-1], "a"))
            assert (await worker.fetch(self.request("room?session=s"))).status == 101
            levels.append("write")
            response = await worker.fetch(self.request("room?session=s", method="POST"))
            assert json.loads(response.body_bytes() or b"")["refreshed"] == 1
            assert room.sockets.object.get_access("k") == Access("write", "a")
            unguarded = Room()
            await unguarded.wake()
            asked = self.request("room?session=s", method="POST")
            assert (await self.worker(unguarded, None).fetch(asked)).status == 426

        run(test)


class TestAuthoritativeRooms:
    @pytest.mark.parametrize("name", ["r.read", "w.write"])
    def test_what_is_not_allowed_is_taken_back_after_sleep_too(self, name: str) -> None:
        async def test() -> None:
            room = asking(rules=Rules({"values": {"v": {"write": "admin"}}}), authoritative=True)
            await room.wake()
            port = await room.join(f"room?as={name}", "A")
            await room.wake()
            port.take()
            room.sockets.send("A", DIFF)
            assert room.store.get_values() == {}
            diffs = [text for text in port.take() if text.startswith("S\n") and '"v":["\ufffc"' in text]
            assert len(diffs) == 1
            allowed = DIFF.replace('"v"', '"w"')
            room.sockets.send("A", allowed)
            assert room.store.get_values() == ({"w": 7} if name == "w.write" else {})

        run(test)
