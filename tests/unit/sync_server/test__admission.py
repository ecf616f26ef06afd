"""The door of a socket server: who gets in, what may pass, when it is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from itertools import count
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus

from durabase.errors import AccessError, ServerError, UnauthenticatedError
from durabase.mergeable import MergeableStore
from durabase.sync_server import (
    Access,
    Allowance,
    ClientLimits,
    RoomTokens,
    Rules,
    WsServer,
    WsServerSimple,
    authorize_by_token,
)
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.sync_server._fakes import FakePort, MemoryPersister, settle

NOW = 1_708_981_571_441
HLC = "NrbEJxl---0dmwzH"
DIFF = f'\n["abcdefghijk",3,[[{{}}],[{{"v":[7,"{HLC}"]}}],1]]'
ASK_HASHES = '\n["abcdefghijk.0001",1,""]'
LEVELS = {"ann": Access("write", "ann"), "rita": Access("read", "rita"), "nick": Access("none", "nick")}


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def by_name(request: Request, path_id: str) -> Access | None:
    """The hook of these tests: who is named in the query, for paths that are not private."""
    if path_id.startswith("private"):
        raise AccessError("that is private")
    return LEVELS.get(request.url.partition("as=")[2].partition("&")[0])


class House:
    """A server with persisters in memory that asks who its clients are."""

    def __init__(self, authorize: Any = by_name, simple: bool = False, **options: Any) -> None:
        self.clock = FakeClock(NOW)
        self.errors: list[Exception] = []
        self.place: dict[str, Any] = {}
        self.store: MergeableStore | None = None
        self._keys = (f"k{number}" for number in count())
        self.server: Any = (
            WsServerSimple(authorize=authorize, clock=self.clock, **options)
            if simple
            else WsServer(self._make, self.errors.append, authorize=authorize, clock=self.clock, **options)
        )

    def _make(self, path_id: str) -> Any:
        self.store = MergeableStore("server", clock=FakeClock(NOW))
        return MemoryPersister(self.store, self.place, path_id)

    async def fetch(self, target: str, key: str = "", **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = {"upgrade": "websocket", "sec-websocket-key": key or next(self._keys), **named}
        response = await self.server.fetch(Request(f"http://h/{target}", headers=asked))
        assert isinstance(response, Response)
        return response

    async def post(self, target: str, **headers: str) -> Response:
        response = await self.server.fetch(Request(f"http://h/{target}", method="POST", headers=headers))
        assert isinstance(response, Response)
        return response

    async def join(self, target: str, key: str = "", **headers: str) -> tuple[Any, FakePort]:
        response = await self.fetch(target, key, **headers)
        assert response.status == 101, response.body_bytes()
        port = FakePort()
        assert response.web_socket is not None
        return response.web_socket.connect(port), port


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("room", 401, b"shown who they are"),
        ("room?as=nick", 403, b"not for you"),
        ("private?as=ann", 403, b"that is private"),
    ],
)
@pytest.mark.parametrize("simple", [False, True])
def test_who_is_refused_gets_an_answer_and_no_socket(
    target: str, status: int, said: bytes, simple: bool
) -> None:
    async def test() -> None:
        house = House(simple=simple)
        response = await house.fetch(target)
        assert (response.status, response.web_socket) == (status, None)
        assert said in (response.body_bytes() or b"")
        assert house.server._rooms == {}
        assert (response.headers.get("www-authenticate") == "Bearer") == (status == 401)

    run(test)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (None, 401),
        (Access("read", expires_at=NOW / 1000), 401),
        (Access("read", expires_at=NOW / 1000 + 1), 101),
        (Response("Log in first", 302, headers={"location": "/login"}), 302),
        (UnauthenticatedError("who?"), 401),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_hook_may_answer(answer: Any, status: int, is_async: bool) -> None:
    def plain(_request: Request, _path_id: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def waiting(request: Request, path_id: str) -> Any:
        await asyncio.sleep(0)
        return plain(request, path_id)

    async def test() -> None:
        assert (await House(waiting if is_async else plain).fetch("room")).status == status

    run(test)


def test_a_hook_that_fails_lets_nobody_in() -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("broken")

    async def test() -> None:
        for hook, error in ((broken, RuntimeError), (lambda *_: True, TypeError)):
            house = House(hook)
            with pytest.raises(error):
                await house.fetch("room")
            assert house.server._rooms == {}

    run(test)


def test_a_reader_sees_everything_and_changes_nothing() -> None:
    async def test() -> None:
        house = House()
        ann, ann_port = await house.join("room?as=ann", "A")
        rita, rita_port = await house.join("room?as=rita", "R")
        ann.on_text(DIFF)
        assert rita_port.take()[-1] == "A" + DIFF
        ann_port.take()
        rita.on_text(DIFF.replace("7", "8"))
        rita.on_text('\n["x",2,[1,2]]')
        rita.on_text('S\n["x.0001",0,[1,2]]')
        rita.on_text('A\n["x.0001",0,[{"v":[8,"' + HLC + '"]}]]')
        assert ann_port.take() == []
        assert house.store is not None
        assert house.store.get_values() == {"v": 7}
        rita.on_text("S" + ASK_HASHES)
        rita.on_text('S\n["x.0002",7,{}]')
        answers = [json.loads(text[2:])[2] for text in rita_port.take() if text.startswith("S\n")]
        assert answers[-1] == [{"v": [7, HLC]}]
        assert rita_port.closed is None

    run(test)


def test_a_part_that_is_not_allowed_goes_to_nobody() -> None:
    async def test() -> None:
        house = House(rules=Rules({"values": {"title": {"write": "admin"}}}))
        ann, _ = await house.join("room?as=ann", "A")
        _, port = await house.join("room?as=rita", "R")
        ann.on_text(f'\n["id",3,[[{{}}],[{{"title":["x","{HLC}"],"v":[7,"{HLC}"]}}],1]]')
        assert port.take()[-1] == f'A\n["id",3,[[{{}}],[{{"v":[7,"{HLC}"]}}],1]]'
        assert house.store is not None
        assert house.store.get_values() == {"v": 7}

    run(test)


def test_rules_without_a_hook_are_for_writers() -> None:
    async def test() -> None:
        house = House(None, rules=Rules({"values": {"v": {"write": "admin"}}}))
        connection = house.server.connect(FakePort(), "/room", "A")
        connection.on_text(DIFF)
        assert house.store is not None
        assert house.store.get_values() == {}

    run(test)


def test_a_check_that_fails_is_reported_and_refuses() -> None:
    def check(*_: Any) -> bool:
        raise RuntimeError("broken")

    async def test() -> None:
        house = House(rules=Rules(check=check))
        ann, port = await house.join("room?as=ann", "A")
        ann.on_text(DIFF)
        assert house.store is not None
        assert house.store.get_values() == {}
        assert port.closed is None
        assert [str(error) for error in house.errors] == ["broken"]

    run(test)


def test_a_connection_is_closed_when_its_access_is_over() -> None:
    async def test() -> None:
        house = House(lambda *_: Access("write", expires_at=NOW / 1000 + 60))
        connection, port = await house.join("room")
        house.clock.advance(59_999)
        connection.on_text(DIFF)
        assert port.closed is None
        house.clock.advance(1)
        assert port.closed == (4401, "the access to this room is over")
        assert house.server.get_stats() == {"paths": 0, "clients": 0}

    run(test)


def test_a_connection_that_has_gone_leaves_no_timer() -> None:
    async def test() -> None:
        house = House(lambda *_: Access("write", expires_at=NOW / 1000 + 60))
        connection, _ = await house.join("room")
        connection.on_close(1000, "", True)
        house.errors.clear()
        house.clock.advance(100_000)
        assert house.errors == []

    run(test)


class TestRefresh:
    def house(self) -> House:
        self.seconds = 60.0
        self.level = "read"

        def authorize(request: Request, path_id: str) -> Access | None:
            name = request.url.partition("as=")[2].partition("&")[0]
            return Access(self.level, name, expires_at=NOW / 1000 + self.seconds) if name else None

        return House(authorize)

    def test_a_session_gets_another_access_without_losing_the_socket(self) -> None:
        async def test() -> None:
            house = self.house()
            connection, port = await house.join("room?as=ann&session=s1")
            _, other = await house.join("room?as=ann&session=s2", "k2")
            self.seconds, self.level = 120, "write"
            response = await house.post("room?session=s1&as=ann")
            said = json.loads(response.body_bytes() or b"")
            assert said == {"refreshed": 1, "level": "write", "expires_at": NOW / 1000 + 120}
            house.clock.advance(100_000)
            assert (port.closed, other.closed) == (None, (4401, "the access to this room is over"))
            connection.on_text(DIFF)
            assert house.store is not None
            assert house.store.get_values() == {"v": 7}
            house.clock.advance(20_000)
            assert port.closed == (4401, "the access to this room is over")

        run(test)

    @pytest.mark.parametrize(
        ("target", "status"),
        [
            ("room?session=s1&as=bob", 404),
            ("room?session=s2&as=ann", 404),
            ("other?session=s1&as=ann", 404),
            ("room?session=s1", 401),
            ("room?as=ann", 426),
        ],
    )
    def test_others_refresh_nothing(self, target: str, status: int) -> None:
        async def test() -> None:
            house = self.house()
            _, port = await house.join("room?as=ann&session=s1")
            self.seconds = 1000
            assert (await house.post(target)).status == status
            house.clock.advance(60_000)
            assert port.closed is not None

        run(test)

    def test_a_server_that_does_not_ask_knows_no_refresh(self) -> None:
        async def test() -> None:
            assert (await House(None).post("room?session=s1")).status == 426

        run(test)

    def test_a_level_may_sink(self) -> None:
        async def test() -> None:
            house = self.house()
            self.level = "write"
            connection, _ = await house.join("room?as=ann&session=s1")
            self.level = "read"
            await house.post("room?session=s1&as=ann")
            connection.on_text(DIFF)
            assert house.store is not None
            assert house.store.get_values() == {}

        run(test)


class TestChannels:
    HELLO = 'S\n["c1",-1,[0,1]]'

    @staticmethod
    def subscribe(channel: str) -> str:
        return f'S\n["s-{channel}",-1,[1,"{channel}"]]'

    def test_each_path_is_asked_for(self) -> None:
        async def test() -> None:
            tokens = RoomTokens({"k": "s" * 32}, clock=FakeClock(NOW))
            house = House(authorize_by_token(tokens), rules=None)
            token = tokens.issue(["docs/", "docs/a"], "write", "ann", expires_in=60)
            connection, port = await house.join(
                "docs", "A", sec_websocket_protocol="tinybase", authorization=f"Bearer {token}"
            )
            connection.on_text(self.HELLO)
            for channel in ("a", "b"):
                connection.on_text(self.subscribe(channel))
            await settle()
            assert self.subscribe("a") in port.sent
            assert self.subscribe("b") not in port.sent
            assert house.server.get_path_ids() == ["docs/a"]
            connection.on_text("M\na\n" + DIFF)
            assert house.store is not None
            assert house.store.get_values() == {"v": 7}
            connection.on_text("M\nb\n" + DIFF)
            assert port.closed == (1007, "tinybase:14")

        run(test)

    def test_a_reader_stays_one_in_each_channel(self) -> None:
        async def test() -> None:
            house = House()
            connection, port = await house.join("base?as=rita", "R", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            for channel in ("a", "b"):
                connection.on_text(self.subscribe(channel))
            await settle()
            assert house.server.get_path_ids() == ["base/a", "base/b"]
            for channel in ("a", "b"):
                connection.on_text(f"M\n{channel}\n{DIFF}")
                assert house.store is not None
                assert house.store.get_values() == {}
            assert port.closed is None

        run(test)

    def test_the_socket_itself_is_asked_for_below_its_path(self) -> None:
        async def test() -> None:
            asked: list[str] = []

            def authorize(_request: Request, path_id: str) -> Access:
                asked.append(path_id)
                return Access("read")

            house = House(authorize)
            for target in ("base", "", "a/b"):
                await house.join(target, sec_websocket_protocol="tinybase, durabase")
            await house.join("base", sec_websocket_protocol="durabase")
            assert asked == ["base/", "", "a/b/", "base"]

        run(test)

    def test_who_leaves_while_it_is_asked_does_not_join(self) -> None:
        async def test() -> None:
            gates: dict[str, asyncio.Future[None]] = {}

            async def authorize(_request: Request, path_id: str) -> Access:
                if path_id != "base/":
                    gates[path_id] = asyncio.get_running_loop().create_future()
                    await gates[path_id]
                return Access("write")

            house = House(authorize)
            connection, port = await house.join("base", "A", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            connection.on_text(self.subscribe("a"))
            connection.on_text(self.subscribe("b"))
            connection.on_text("M\na\n" + DIFF)  # nobody has said yet that it may
            await settle()
            connection.on_text('S\n[null,-1,[2,"a"]]')
            for gate in gates.values():
                gate.set_result(None)
            await settle()
            assert house.server.get_path_ids() == ["base/b"]
            assert self.subscribe("a") not in port.sent
            assert port.closed is None

        run(test)

    @pytest.mark.parametrize(("new", "level"), [("rita", "read"), ("nobody", None)])
    def test_a_channel_that_was_asked_for_before_a_refresh_is_asked_for_again(
        self, new: str, level: str | None
    ) -> None:
        async def test() -> None:
            gate = asyncio.Event()

            async def authorize(request: Request, path_id: str) -> Access | None:
                if path_id == "base/a":
                    await gate.wait()
                who = request.url.partition("as=")[2].partition("&")[0]
                if who == "nobody":
                    return Access("read", "ann") if path_id == "base/" else None
                return Access(LEVELS[who].level, "ann")

            house = House(authorize)
            joining = "base?as=ann&session=s"
            connection, port = await house.join(joining, "A", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            connection.on_text(self.subscribe("a"))
            await settle()
            assert (await house.post(f"base?as={new}&session=s")).status == 200
            gate.set()
            await settle()
            assert str(house.server.get_access("base/a", "A").level) == (level or "none")
            assert (self.subscribe("a") in port.sent) == (level is not None)

        run(test)

    def test_a_hook_that_fails_for_a_channel_at_a_refresh_leaves_no_old_access(self) -> None:
        async def test() -> None:
            def authorize(request: Request, path_id: str) -> Access:
                if request.method == "POST" and path_id == "base/a":
                    raise RuntimeError("broken")
                return Access("write", "ann")

            house = House(authorize)
            connection, port = await house.join("base?session=s", "A", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            connection.on_text(self.subscribe("a"))
            await settle()
            with pytest.raises(RuntimeError, match="broken"):
                await house.post("base?session=s")
            assert port.closed is not None
            assert port.closed[0] == 4403

        run(test)

    def test_only_so_many_are_asked_for_at_a_time(self) -> None:
        async def test() -> None:
            asked: list[str] = []
            gate = asyncio.Event()

            async def authorize(_request: Request, path_id: str) -> Access:
                asked.append(path_id)
                if path_id != "base/":
                    await gate.wait()
                return Access("write")

            house = House(authorize)
            connection, port = await house.join("base", "A", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            for _ in range(1000):  # each is left before it is known whether it may be joined
                connection.on_text(self.subscribe("a"))
                connection.on_text('S\n[null,-1,[2,"a"]]')
            await settle()
            assert len(asked) == 1 + 200
            assert port.closed == (1013, "tinybase:15:channels")
            gate.set()
            await settle()
            assert house.server.get_path_ids() == []

        run(test)

    def test_who_goes_while_it_is_asked_joins_nothing(self) -> None:
        async def test() -> None:
            gate = asyncio.get_running_loop().create_future()

            async def authorize(_request: Request, path_id: str) -> Access:
                if path_id != "base/":
                    await gate
                return Access("write")

            house = House(authorize)
            connection, _ = await house.join("base", "A", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            connection.on_text(self.subscribe("a"))
            await settle()
            connection.on_close(1001, "", True)
            gate.set_result(None)
            await settle()
            assert house.server.get_path_ids() == []

        run(test)

    def test_a_refresh_reaches_each_channel(self) -> None:
        async def test() -> None:
            levels = {"base/": "read", "base/a": "read"}

            def authorize(_request: Request, path_id: str) -> Access:
                return Access(levels[path_id], "ann")

            house = House(authorize)
            connection, port = await house.join("base?session=s", "A", sec_websocket_protocol="tinybase")
            connection.on_text(self.HELLO)
            connection.on_text(self.subscribe("a"))
            await settle()
            levels["base/a"] = "write"
            assert (await house.post("base?session=s")).status == 200
            connection.on_text("M\na\n" + DIFF)
            assert house.store is not None
            assert house.store.get_values() == {"v": 7}
            levels["base/a"] = "none"
            assert (await house.post("base?session=s")).status == 404
            assert port.closed == (4403, "no access to 'base/a' any more")

        run(test)


def test_who_comes_without_a_request_has_to_be_vouched_for() -> None:
    async def test() -> None:
        house = House()
        with pytest.raises(ServerError, match="access="):
            house.server.connect(FakePort(), "/room", "A")
        connection = house.server.connect(FakePort(), "/room", "A", access=Access("read"))
        connection.on_text(DIFF)
        assert house.store is not None
        assert house.store.get_values() == {}

    run(test)


class TestLimits:
    def test_too_many_connections_are_refused(self) -> None:
        async def test() -> None:
            house = House(limits=ClientLimits(identity=Allowance(connections=1)))
            connection, _ = await house.join("room?as=ann")
            refused = await house.fetch("room?as=ann", "k2")
            assert (refused.status, refused.headers.get("retry-after")) == (429, "1")
            await house.join("room?as=rita", "k3")
            connection.on_close(1000, "", True)
            await house.join("room?as=ann", "k4")

        run(test)

    @pytest.mark.parametrize(
        ("protocol", "text"),
        [
            ("", ASK_HASHES),
            ("", "\n0123456789abcd{}\n0\n2\n["),
            ("tinybase", 'S\n["c1",-1,[0,1]]'),
        ],
    )
    def test_a_flood_of_anything_closes_with_1008(self, protocol: str, text: str) -> None:
        async def test() -> None:
            limits = ClientLimits(connection=Allowance(messages_per_second=1, burst_seconds=5))
            house = House(None, limits=limits)
            connection, port = await house.join("room", sec_websocket_protocol=protocol)
            for number in range(5):
                connection.on_text(text.replace("{}", f"{number:02}"))
            assert port.closed is None
            connection.on_text(text.replace("{}", "99"))
            assert (port.closed or (0,))[0] == 1008
            assert limits.refused_messages == 1

        run(test)


class TestAuthoritativeRooms:
    """What a client may not write is taken back, by stamps that are newer."""

    RULES = Rules({"values": {"v": {"write": "admin"}}})

    @pytest.mark.parametrize("name", ["ann", "rita"])
    def test_what_is_not_allowed_is_taken_back(self, name: str) -> None:
        async def test() -> None:
            house = House(rules=self.RULES, authoritative=True)
            connection, port = await house.join(f"room?as={name}", "A")
            _, other = await house.join("room?as=rita", "R")
            other.take()
            port.take()
            connection.on_text(DIFF)
            assert house.store is not None
            assert house.store.get_values() == {}
            (correction,) = [json.loads(text[2:]) for text in port.take() if text.startswith("S\n")]
            (thing, stamp) = correction[2][1][0]["v"]
            assert (correction[1], thing) == (3, "\ufffc")
            assert stamp > HLC
            assert [text for text in other.take() if '"v":[7' in text] == []

        run(test)

    def test_what_is_allowed_is_told_to_others(self) -> None:
        async def test() -> None:
            house = House(rules=self.RULES, authoritative=True)
            ann, _ = await house.join("room?as=ann", "A")
            _, other = await house.join("room?as=rita", "R")
            other.take()
            ann.on_text(DIFF.replace('"v"', '"w"'))
            assert house.store is not None
            assert house.store.get_values() == {"w": 7}
            assert any('"w":[7' in text for text in other.take())
            assert house.server.get_access("room", "A") == LEVELS["ann"]
            assert house.server.get_access("room", "X") == Access("none")

        run(test)


def test_a_session_has_a_short_name() -> None:
    async def test() -> None:
        house = House()
        assert (await house.fetch(f"room?as=ann&session={'s' * 128}")).status == 101
        assert (await house.fetch(f"room?as=ann&session={'s' * 129}")).status == 400

    run(test)


@pytest.mark.parametrize(
    ("access", "code"),
    [(Access("none", "nick"), 4403), (Access("write", expires_at=NOW / 1000), 4401)],
)
def test_nobody_can_vouch_for_an_access_to_nothing(access: Access, code: int) -> None:
    async def test() -> None:
        house, closed = House(), []

        class Transport(FakePort):
            def close(self, code: int | None, reason: str) -> None:
                closed.append(code)

        await house.server.serve(Transport(), "/room", access=access)
        assert closed == [code]
        with pytest.raises(AccessError):
            house.server.connect(FakePort(), "/room", "A", access=access)
        assert house.server.get_path_ids() == []

    run(test)


@pytest.mark.parametrize("simple", [False, True])
@pytest.mark.parametrize("protocol", ["", "tinybase"])
def test_nobody_comes_under_the_id_of_somebody_else(simple: bool, protocol: str) -> None:
    """Ids are seen by all in the room; who takes one would take its messages, too."""

    async def test() -> None:
        house = House(simple=simple)
        ann, _ = await house.join("room?as=ann", "A")
        _, reader = await house.join("room?as=rita", "R")
        named = {"sec_websocket_protocol": protocol} if protocol else {}
        for target in ("room?as=rita", "room/?as=rita", "?as=rita"):
            refused = await house.fetch(target, "A", **named)
            assert (refused.status, refused.web_socket) == (409, None)
        reader.take()
        ann.on_text(DIFF)
        assert reader.take() == [f"A{DIFF}"]
        ann.on_close(1001, "", True)
        await house.join("room?as=rita", "A")

    run(test)


class TestRequestsForResources:
    @pytest.mark.parametrize(
        ("name", "method", "value", "status"),
        [
            ("", "GET", "v", 401),
            ("nick", "GET", "v", 403),
            ("rita", "GET", "v", 404),
            ("rita", "PUT", "v", 403),
            ("ann", "PUT", "v", 201),
            ("ann", "PUT", "title", 403),
        ],
    )
    def test_they_are_asked_for_like_sockets(self, name: str, method: str, value: str, status: int) -> None:
        async def test() -> None:
            def by_header(request: Request, path_id: str) -> Access | None:
                assert path_id == "room"
                return LEVELS.get(request.headers.get("x-name") or "")

            house = House(by_header, rules=Rules({"values": {"title": {"write": "admin"}}}), rest="/api")
            url = f"http://h/api/rooms/room/values/{value}"
            body = None if method == "GET" else "1"
            headers = {"content-type": "application/json", "x-name": name}
            response = await house.server.fetch(Request(url, method=method, body=body, headers=headers))
            assert response.status == status, response.body_bytes()

        run(test)


class TestConnectionsOfWebsockets:
    """The package ``websockets`` opens the socket itself, unless it is told to ask before."""

    @pytest.mark.parametrize(("target", "status", "code"), [("room", 401, 4401), ("room?as=nick", 403, 4403)])
    def test_who_is_refused_is_told_before_or_after(self, target: str, status: int, code: int) -> None:
        async def test() -> None:
            server = House().server
            async with serve(server.handle, "127.0.0.1", 0, process_request=server.process_request) as before:
                port = before.sockets[0].getsockname()[1]
                with pytest.raises(InvalidStatus) as refused:
                    await connect(f"ws://127.0.0.1:{port}/{target}")
                assert refused.value.response.status_code == status
            async with serve(server.handle, "127.0.0.1", 0) as after:
                port = after.sockets[0].getsockname()[1]
                async with connect(f"ws://127.0.0.1:{port}/{target}") as socket:
                    await socket.wait_closed()
                    assert socket.close_code == code
            assert server.get_path_ids() == []

        run(test)

    def test_a_response_of_the_hook_is_sent_as_it_is(self) -> None:
        async def test() -> None:
            headers = {"location": "/login", "set-cookie": "a=b", "content-type": "text/plain;x=y"}
            server = House(lambda *_: Response("Log in first", 418, headers=headers)).server
            async with serve(
                server.handle, "127.0.0.1", 0, process_request=server.process_request
            ) as serving:
                with pytest.raises(InvalidStatus) as refused:
                    await connect(f"ws://127.0.0.1:{serving.sockets[0].getsockname()[1]}/room")
            response = refused.value.response
            assert (response.status_code, response.body) == (418, b"Log in first")
            assert (
                headers.items() <= {name.lower(): value for name, value in response.headers.items()}.items()
            )

        run(test)

    def test_a_client_can_not_say_that_it_comes_from_elsewhere(self) -> None:
        async def test() -> None:
            asked: list[str | None] = []

            def authorize(request: Request, _path_id: str) -> Access:
                asked.append(request.headers.get("cf-connecting-ip"))
                return Access("read")

            limits = ClientLimits(address=Allowance(connections=1))
            server = House(authorize, limits=limits).server
            async with serve(
                server.handle, "127.0.0.1", 0, process_request=server.process_request
            ) as serving:
                url = f"ws://127.0.0.1:{serving.sockets[0].getsockname()[1]}/room"
                first, second = [
                    await connect(url, additional_headers={"CF-Connecting-IP": address})
                    for address in ("1.1.1.1", "2.2.2.2")
                ]
                await second.wait_closed()
                assert second.close_code == 1013
                await first.close()
            assert set(asked) == {"127.0.0.1"}

        run(test)

    def test_a_reader_is_one_here_too(self) -> None:
        async def test() -> None:
            house = House()
            server = house.server
            async with serve(
                server.handle, "127.0.0.1", 0, process_request=server.process_request
            ) as serving:
                port = serving.sockets[0].getsockname()[1]
                async with connect(f"ws://127.0.0.1:{port}/room?as=rita") as socket:
                    await socket.send(DIFF)
                    await socket.send("S" + ASK_HASHES)
                    while not str(await socket.recv()).endswith("[0,0]]"):
                        pass
                    assert house.store is not None
                    assert house.store.get_values() == {}

        run(test)
