"""One connected socket: what it reads, what it is sent, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.persisters._steps import Completion
from durabase.sync_server import WsServer
from durabase.sync_server._connections import Member, connect, deliver
from durabase.sync_server.access import Access
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from durabase.testing import FakeClock
from unit.sync_server._fakes import FakePort
from unit.sync_server.test_ws_server import ASK_HASHES, NOW, Bench, answers


def test_a_channel_that_can_not_be_made_is_invalid_afterwards() -> None:
    def make(path_id: str) -> Any:
        raise OSError("no persister")

    server = WsServer(make, lambda _: None, clock=FakeClock(NOW))
    port = FakePort()
    a = server.connect(port, "/base", "A", "tinybase")
    a.on_text('S\n["q",-1,[0,1]]')
    a.on_text('S\n["q",-1,[1,"c"]]')
    assert port.closed is None
    a.on_text("M\nc\n" + ASK_HASHES)
    assert port.closed == (1007, "tinybase:14")


def test_a_message_after_the_close_is_not_read() -> None:
    bench = Bench()
    a, port_a = bench.connect("A")
    _, port_b = bench.connect("B")
    port_b.take()
    a.on_text("bad")
    assert port_a.closed == (1007, "tinybase:14")
    a.on_text(ASK_HASHES)
    a.on_close(1006, "", False)
    assert port_b.take() == []
    assert [str(error) for error in bench.errors] == ["tinybase:14"]


def test_a_client_that_does_not_read_is_closed() -> None:
    bench = Bench()
    a, _ = bench.connect("A")
    _, port = bench.connect("B")
    port.buffered = 16_777_216
    a.on_text(ASK_HASHES)
    assert port.closed == (1013, "tinybase:15:socket")
    assert bench.server.get_client_ids("p") == ["A"]


def test_binary_messages_are_read_as_text() -> None:
    bench = Bench()
    a, port = bench.connect("A")
    a.on_binary(ASK_HASHES.encode())
    assert len(answers(port)) == 1
    a.on_error(RuntimeError("frames"))
    assert [str(error) for error in bench.errors] == ["frames"]


class Room:
    """Notes who says what, and who leaves. ``going_on``: what leaving has to wait for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.log: list[Any] = []
        self.going_on: Completion[None] | None = None

    def receive(self, member: Member, payload: Any) -> None:
        self.log.append((member.client_id, member.channel_id, payload.message.number))

    def leave(self, member: Member) -> Completion[None] | None:
        self.log.append("left")
        return self.going_on


class Host:
    """A server with a room for each path; its connections come by ``/base``."""

    request_timeout_seconds = 1.0

    def __init__(self, subprotocol: str | None = None, admission: Any = None) -> None:
        self.clock = FakeClock(NOW)
        self.rooms: dict[str, Room] = {}
        self.members: list[Member] = []
        self.errors: list[str] = []
        self.gone: list[Any] = []
        self.port = FakePort()
        self.connection = connect(self, self.port, "A", "base", subprotocol, admission)

    def enter(self, path_id: str, member: Member) -> None:
        member.room = self.rooms.setdefault(path_id, Room(path_id))
        self.members.append(member)

    def report(self, error: Exception) -> None:
        self.errors.append(str(error))

    def name_of(self, client_id: str, path: str) -> str:
        raise AssertionError

    def disconnected(self, connection: Any) -> None:
        self.gone.append(connection)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.connection.on_text(text)


JOIN, LEAVE = 'S\n["q",-1,[1,"{}"]]', 'S\n[null,-1,[2,"{}"]]'
HELLO = 'S\n["q",-1,[0,1]]'


class TestOneStore:
    def test_it_is_on_the_path_that_it_was_opened_at(self) -> None:
        host = Host()
        host.say(ASK_HASHES, "S" + ASK_HASHES)
        assert list(host.rooms) == ["base"]
        assert host.rooms["base"].log == [("A", None, 1), ("A", None, 1)]
        assert host.connection.is_open

    @pytest.mark.parametrize("how", ["close", "fail", "on_close"])
    def test_when_it_is_over_it_leaves_once_and_reads_no_more(self, how: str) -> None:
        host = Host()
        if how == "fail":
            host.say("no message")
        elif how == "close":
            host.connection.close()
        else:
            host.connection.on_close(1005, "", True)
        assert not host.connection.is_open
        closed = {"fail": (1007, "tinybase:14"), "close": (None, ""), "on_close": None}[how]
        assert host.port.closed == closed
        assert host.errors == (["tinybase:14"] if how == "fail" else [])
        host.say(ASK_HASHES)
        host.connection.close()
        host.connection.on_close(1005, "", True)
        host.connection.send("late", 4)
        assert (host.rooms["base"].log, host.gone, host.port.sent) == (["left"], [host.connection], [])

    @pytest.mark.parametrize(("milliseconds", "count"), [(999, 1), (1000, 0)])
    def test_a_message_that_stays_incomplete_is_forgotten(self, milliseconds: int, count: int) -> None:
        host = Host()
        host.say('\n0123456789abcdef\n0\n2\n["q.0001",')
        host.clock.advance(milliseconds)
        host.say('\n0123456789abcdef\n1\n2\n1,""]')
        assert host.rooms["base"].log == [("A", None, 1)] * count
        assert host.connection.is_open

    def test_what_is_sent_may_wait_up_to_a_payload(self) -> None:
        host = Host()
        host.port.buffered = MAX_PAYLOAD_BYTES - 5
        host.connection.send("12345", 5)
        assert host.port.sent == ["12345"]
        host.connection.send("123456", 6)
        assert host.port.closed == (1013, "tinybase:15:socket")
        assert host.port.sent == ["12345"]


class TestChannels:
    def test_each_is_a_member_of_a_path_below_the_base(self) -> None:
        host = Host("tinybase")
        assert host.rooms == {}
        host.say(HELLO, JOIN.format("a"), JOIN.format("b"))
        assert len(host.port.take()) == 3
        assert [member.channel_id for member in host.members] == ["a", "b"]
        host.say("M\nb\n" + ASK_HASHES)
        a, b = host.rooms.values()
        assert (a.log, b.log) == ([], [("A", "b", 1)])
        assert [name.startswith("base") for name in host.rooms] == [True, True]

    def test_payloads_say_the_channel_and_count_it(self) -> None:
        host = Host("tinybase")
        host.say(HELLO, JOIN.format("é"))
        host.port.take()
        deliver(host.members, ["\ntext", "\nmore"])
        assert host.port.take() == ["M\né\n\ntext", "M\né\n\nmore"]
        host.port.buffered = MAX_PAYLOAD_BYTES - 10
        deliver(host.members, ["\ntext"])
        assert len(host.port.take()) == 1
        host.port.buffered += 1
        deliver(host.members, ["\ntext"])
        assert host.port.closed == (1013, "tinybase:15:socket")

    def test_who_leaves_one_stays_in_the_others(self) -> None:
        host = Host("tinybase")
        host.say(HELLO, JOIN.format("a"), JOIN.format("b"), LEAVE.format("a"), "M\nb\n" + ASK_HASHES)
        a, b = host.rooms.values()
        assert (a.log, b.log) == (["left"], [("A", "b", 1)])
        host.connection.on_close(1006, "", False)
        assert (a.log, b.log[1:]) == (["left"], ["left"])

    def test_a_channel_whose_room_could_not_be_opened_may_be_asked_for_again(self) -> None:
        host = Host("tinybase")
        host.say(HELLO, JOIN.format("a"))
        host.connection.left_out(host.members[0])
        host.connection.left_out(host.members[0])
        host.say(JOIN.format("a"))
        assert len(host.members) == 2
        host.connection.left_out(host.members[0])  # the earlier one: nothing is left out
        host.say("M\na\n" + ASK_HASHES)
        assert host.port.closed is None
        assert host.rooms[next(iter(host.rooms))].log == [("A", "a", 1)]


class Admission:
    """Lets in whom ``answers`` says, when it does."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.asked: list[Completion[Access | None]] = []

    def begin(self, connection: Any) -> None:
        self.log.append("begin")

    def metered(self, read: Any) -> Any:
        def metered(text: str, now: float) -> None:
            self.log.append("read")
            read(text, now)

        return metered

    def ask(self, path_id: str) -> Completion[Access | None]:
        self.asked.append(Completion())
        return self.asked[-1]

    def guard(self, member: Member, path_id: str, access: Access | None = None) -> None:
        self.log.append(("guard", member.channel_id, access))

    def end(self) -> None:
        self.log.append("end")


class TestAdmission:
    def test_a_socket_is_guarded_metered_and_its_end_told(self) -> None:
        admission = Admission()
        host = Host(None, admission)
        host.say(ASK_HASHES)
        host.connection.close()
        assert admission.log == [("guard", None, None), "begin", "read", "end"]

    def test_a_channel_joins_when_it_may_and_is_not_heard_before(self) -> None:
        admission, access = Admission(), Access("read")
        host = Host("tinybase", admission)
        host.say(HELLO, JOIN.format("a"))
        host.port.take()
        host.say("M\na\n" + ASK_HASHES)
        assert (host.members, host.port.sent, host.port.closed) == ([], [], None)
        admission.asked[0].set_result(access)
        assert len(host.port.take()) == 1
        assert ("guard", "a", access) in admission.log
        host.say("M\na\n" + ASK_HASHES)
        assert host.members[0].room.log == [("A", "a", 1)]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("how", ["refused", "failed"])
    def test_who_may_not_gets_no_answer_and_may_ask_again(self, how: str) -> None:
        admission = Admission()
        host = Host("tinybase", admission)
        host.say(HELLO, JOIN.format("a"))
        host.port.take()
        if how == "refused":
            admission.asked[0].set_result(None)
        else:
            admission.asked[0].set_exception(OSError("broken"))
        assert (host.members, host.port.sent) == ([], [])
        assert host.errors == ([] if how == "refused" else ["broken"])
        host.say(JOIN.format("a"))
        assert len(admission.asked) == 2

    @pytest.mark.parametrize("how", ["left", "closed"])
    def test_who_has_gone_meanwhile_does_not_join(self, how: str) -> None:
        admission = Admission()
        host = Host("tinybase", admission)
        host.say(HELLO, JOIN.format("a"))
        if how == "left":
            host.say(LEAVE.format("a"))
        else:
            host.connection.close()
        admission.asked[0].set_result(Access("read"))
        assert host.members == []
