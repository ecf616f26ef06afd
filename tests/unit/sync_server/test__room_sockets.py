"""The sockets of a room that is an object, and what is kept with each over sleep."""

from __future__ import annotations

import pytest

from durabase.sync_server._fetch import MESSAGE_BYTES
from durabase.sync_server._room_sockets import Entry, RoomSockets
from durabase.sync_server.access import ANYBODY, Access, Level
from durabase.web import WebSocket, WebSocketPair
from unit.sync_server._fakes import FakeContext

LONG = "é" * 129
"""A path that is too long for a tag, by two bytes."""
ENTRY = Entry(Access("write", "ann"), "session", "192.0.2.1")


class Rig:
    def __init__(self, name: str | None = "room", *, all_marked: bool = False) -> None:
        self.ctx = FakeContext(name=name)
        self.sockets = RoomSockets(self.ctx, all_marked)

    def accept(self, client_id: str = "A", path_id: str = "room", entry: Entry | None = None) -> None:
        _, socket = WebSocketPair()
        self.sockets.accept(socket, client_id, path_id, entry)

    def woken(self) -> list[WebSocket]:
        """All sockets, of which only connections and tags were kept."""
        self.ctx.sleep()
        return self.sockets.all()


def test_messages_may_be_as_large_as_payloads() -> None:
    rig = Rig()
    rig.accept()
    (socket,) = rig.woken()
    assert socket.connection.message_bytes == MESSAGE_BYTES


def test_all_are_told_in_order_of_coming() -> None:
    rig = Rig()
    for name in "ABC":
        rig.accept(name)
    assert [rig.sockets.client_id(socket) for socket in rig.woken()] == ["A", "B", "C"]


@pytest.mark.parametrize("entry", [None, ENTRY])
@pytest.mark.parametrize("path_id", ["room", "", "a/b", "é" * 128, LONG, "x" * 1000])
@pytest.mark.parametrize("name", ["room", None, LONG])
def test_the_path_of_each_is_known_however_long_it_is(
    name: str | None, path_id: str, entry: Entry | None
) -> None:
    rig = Rig(name)
    rig.accept("A", path_id, entry)
    (socket,) = rig.woken()
    assert rig.sockets.path_id(socket) == path_id
    assert rig.sockets.client_id(socket) == "A"
    assert rig.sockets.entry(socket) == entry


def test_whoever_nobody_was_asked_about_may_do_everything_unless_all_have_to_be() -> None:
    rig = Rig()
    rig.accept()
    (socket,) = rig.woken()
    assert (rig.sockets.entry(socket), rig.sockets.access(socket)) == (None, ANYBODY)
    strict = RoomSockets(rig.ctx, True)
    assert strict.entry(socket) == Entry(Access(Level.NONE))
    assert strict.access(socket).level is Level.NONE


def test_a_marked_socket_whose_entry_is_gone_may_do_nothing() -> None:
    rig = Rig()
    rig.accept(entry=ENTRY)
    (socket,) = rig.woken()
    assert rig.sockets.access(socket) == ENTRY.access
    socket.serialize_attachment({"path": None})
    assert rig.sockets.access(socket).level is Level.NONE
    socket.serialize_attachment(None)
    assert rig.sockets.access(socket).level is Level.NONE


@pytest.mark.parametrize("path_id", ["room", LONG])
def test_an_access_is_renewed_and_all_else_stays(path_id: str) -> None:
    rig = Rig()
    rig.accept("A", path_id, ENTRY)
    (socket,) = rig.woken()
    rig.sockets.renew(socket, ENTRY, Access("read", "ann"))
    (socket,) = rig.woken()
    assert rig.sockets.entry(socket) == Entry(Access("read", "ann"), "session", "192.0.2.1")
    assert (rig.sockets.path_id(socket), rig.sockets.client_id(socket)) == (path_id, "A")


def test_an_entry_that_is_too_large_is_refused_and_nobody_is_let_in() -> None:
    rig = Rig()
    with pytest.raises(ValueError):
        rig.accept(entry=Entry(Access("write", "x" * 20_000)))
    assert rig.ctx.tags == {}
