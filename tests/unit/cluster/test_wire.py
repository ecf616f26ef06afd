"""Values and events as bytes, and back in another process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from durabase.cluster.wire import Perform, Wire
from durabase.durable_objects.crossing import make_call
from durabase.durable_objects.events import Alarm, AlarmInfo, Call, Fetch, Read, Run
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.routing import ObjectKey
from durabase.durable_objects.rpc import ITSELF
from durabase.durable_objects.rpc_stub import RpcStub
from durabase.durable_objects.stub import DurableObjectStub
from durabase.errors import ClusterError
from durabase.web import Blob, File, FormData, Headers, Request, Response, WebSocket, WebSocketPair


class Grant:
    """Has something performed that was exported."""

    def __init__(self, sides: Sides, number: int) -> None:
        self._sides, self._number, self._stubs = sides, number, 0

    def take(self) -> None:
        self._stubs += 1

    def give_back(self) -> None:
        self._stubs -= 1
        if not self._stubs:
            self._sides.exports.pop(self._number)[1]()

    def serve(self, event: Call | Read) -> Awaitable[Any]:
        return self._sides.exports[self._number][0](event)


class Sides:
    """Both sides of a border: what is encoded is exported here, and what is decoded found here."""

    def __init__(self) -> None:
        self.exports: dict[int, tuple[Perform, Callable[[], object]]] = {}
        self.sockets: dict[int, WebSocket] = {}
        self.wire = Wire(self, None)  # type: ignore[arg-type]

    def export(self, perform: Perform, release: Callable[[], object]) -> int:
        self.exports[len(self.exports) + 1] = (perform, release)
        return len(self.exports)

    def granted(self, number: int) -> Grant:
        return Grant(self, number)

    def export_socket(self, socket: WebSocket) -> int:
        self.sockets[7] = socket
        return 7

    def socket(self, number: int) -> WebSocket:
        return self.sockets[number]

    def sent(self, value: Any, stubs: list[RpcStub] | None = None) -> Any:
        return self.wire.decode(self.wire.encode(value), stubs)


VALUES = [None, True, 1.5, 2**70, "text \ud800", b"bytes", {"a": [1, {2, 3}], 4: None}, [], ""]


@pytest.mark.parametrize("value", VALUES)
def test_plain_values_are_themselves(value: Any) -> None:
    found = Sides().sent(value)
    assert found == value
    assert isinstance(found, type(value))


def test_what_is_passed_along_stays_in_its_place() -> None:
    found = Sides().sent({"a": [1, Headers({"x": "1"}), Blob(["b"])], "b": Headers({"y": "2"})})
    assert found["a"][0] == 1
    assert (found["a"][1]["x"], found["a"][2].data, found["b"]["y"]) == ("1", b"b", "2")


def test_fields_keep_their_order_and_repetitions() -> None:
    headers = Headers([("set-cookie", "a=1"), ("x", "1"), ("set-cookie", "b=2")])
    assert list(Sides().sent(headers).items()) == list(headers.items())


def test_forms_and_files() -> None:
    form = FormData(
        [("a", "1"), ("a", "2"), ("f", File(["content"], "f.txt", "text/plain", last_modified=5))]
    )
    form.append("b", Blob(["blob"], "x/y"))
    found = Sides().sent(form)
    assert [name for name, _ in found.items()] == ["a", "a", "f", "b"]
    assert [value for name, value in found.items() if name == "a"] == ["1", "2"]
    file = found.get("f")
    assert (file.name, file.data, file.content_type, file.last_modified) == (
        "f.txt",
        b"content",
        "text/plain",
        5,
    )
    blob = Sides().sent(Blob(["blob"], "x/y"))
    assert (type(blob), blob.data, blob.content_type) == (Blob, b"blob", "x/y")


@pytest.mark.parametrize("body", [None, b"", "text"])
def test_requests_with_what_is_at_hand(body: Any) -> None:
    request = Request(
        "http://h/p?q", method="POST", headers={"x": "1"}, body=body, redirect="manual", cf={"a": [1]}
    )
    found = Sides().sent(request)
    assert (found.url, found.method, found.headers["x"], found.redirect, found.cf) == (
        "http://h/p?q",
        "POST",
        "1",
        "manual",
        {"a": [1]},
    )
    assert found.headers.get("content-type") == request.headers.get("content-type")
    assert (found.body_bytes() or b"").decode() == (body.decode() if isinstance(body, bytes) else body or "")


def test_responses_with_what_is_at_hand_and_their_socket() -> None:
    sides = Sides()
    response = Response("text", 404, "Not There", {"x": "1"})
    response.url = "http://h/"
    found = sides.sent(response)
    assert (found.status, found.status_text, found.headers["x"], found.url) == (
        404,
        "Not There",
        "1",
        "http://h/",
    )
    assert (found.body_bytes(), found.web_socket) == (b"text", None)
    client, _ = WebSocketPair()
    assert sides.sent(Response(None, 101, web_socket=client)).web_socket is client


def test_bodies_that_are_streams_come_piece_by_piece_and_are_let_go() -> None:
    given: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"ab", b"cd"):
            given.append(piece)
            yield piece

    async def main() -> None:
        for made in (Request("http://h/", method="POST", body=pieces()), Response(pieces())):
            given.clear()
            sides = Sides()
            found = sides.sent(made)
            assert given == []
            assert [piece async for piece in found.iter_body()] == [b"ab", b"cd"]
            assert sides.exports == {}

    asyncio.run(main())


def test_streams_give_their_items() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> None:
        assert [number async for number in Sides().sent([numbers()])[0]] == [1, 2]

    asyncio.run(main())


class Target:
    """A stub of something that adds."""

    def __init__(self) -> None:
        self.released = False

    def take(self) -> None: ...

    def give_back(self) -> None:
        self.released = True

    async def serve(self, event: Call | Read) -> Any:
        return sum(event.arguments) if isinstance(event, Call) and event.method == ITSELF else event.name


def test_stubs_are_called_where_they_are_from_and_told_of() -> None:
    async def main() -> None:
        sides, stubs, target = Sides(), list[RpcStub](), Target()
        stub = RpcStub(target, make_call)
        found = sides.sent({"f": stub}, stubs)
        assert stubs == [found["f"]]
        assert await found["f"](1, 2) == 3
        assert await found["f"].name == "name"
        assert len(sides.exports) == 1
        stub.destroy()
        stubs[0].destroy()
        assert sides.exports == {}
        assert target.released

    asyncio.run(main())


@pytest.mark.parametrize("jurisdiction", [None, "eu"])
@pytest.mark.parametrize("name", [None, "é"])
def test_stubs_of_objects_are_of_the_same_object_here(name: str | None, jurisdiction: str | None) -> None:
    key = ObjectKey("Room", DurableObjectId(b"k" * 32, name, jurisdiction))
    stubs: list[RpcStub] = []
    found = Sides().sent(DurableObjectStub(None, key), stubs)  # type: ignore[arg-type]
    assert isinstance(found, DurableObjectStub)
    assert found._rpc_key == key
    assert (found.name, found.id.jurisdiction, stubs) == (name, jurisdiction, [])


class Odd:
    """Crosses within a process only."""

    def _rpc_cross(self) -> Odd:
        return self


def test_what_can_not_be_sent() -> None:
    with pytest.raises(TypeError, match="Odd can't be sent to another process"):
        Sides().wire.encode([Odd()])
    with pytest.raises(TypeError):
        Sides().wire.encode([object()])


def test_what_is_no_such_message() -> None:
    with pytest.raises(ValueError):
        Sides().wire.decode(b"no value")


class TestEvents:
    def sent(self, event: Any) -> Any:
        sides = Sides()
        stubs: list[RpcStub] = []
        return sides.wire.event_from(sides.sent(sides.wire.event_form(event), stubs), stubs, 42)

    def test_a_request(self) -> None:
        found = self.sent(Fetch(Request("http://h/")))
        assert isinstance(found, Fetch)
        assert found.request.url == "http://h/"

    def test_a_call_with_its_size_and_what_was_lent(self) -> None:
        found = self.sent(Call("method", (1, [2]), {"k": "v"}))
        assert found == Call("method", (1, [2]), {"k": "v"})
        assert (found.size, found.lent) == (42, [])
        lending = self.sent(Call("method", (RpcStub(Target(), make_call),), {}))
        assert list(lending.lent) == list(lending.arguments)

    def test_a_property(self) -> None:
        assert self.sent(Read("name")) == Read("name")

    @pytest.mark.parametrize(
        ("event", "name"), [(Run(print), "Run"), (Alarm(AlarmInfo(0, False, 1), 1), "Alarm")]
    )
    def test_what_happens_within_a_process_only(self, event: Any, name: str) -> None:
        with pytest.raises(ClusterError, match=f"{name}: the object lives in another process"):
            self.sent(event)

    def test_an_unknown_kind(self) -> None:
        with pytest.raises(ClusterError, match=r"an event of an unknown kind: \['odd'\]"):
            Sides().wire.event_from(["odd", 1], [], 0)
