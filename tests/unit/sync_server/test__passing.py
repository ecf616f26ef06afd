"""What passes between sockets of a room that is an object, and between them and its store."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from durabase.errors import SyncMessageError
from durabase.mergeable import MergeableStore
from durabase.sync_server._inbox import Inbox
from durabase.sync_server._passing import Passing
from durabase.sync_server._peer import ServerSeat
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from durabase.synchronizers.protocol.relay import OBJECT_RULES, Relay
from durabase.testing import FakeClock
from durabase.web import WebSocket, WebSocketPair
from unit.sync_server._fakes import FakePort, MemoryPersister

ASK = '\n["q.0001",1,""]'
CHANGE = '\n["q.0001",3,[[{}],[{"v":[1,"NrbEJxl---0dmwzH"]}],1]]'
PIECES = '\n0123456789abcdef\n0\n2\n["q.0001",', '\n0123456789abcdef\n1\n2\n1,""]'


class Gate:
    """Holds what is sent until it is safe."""

    def __init__(self) -> None:
        self.is_open = True
        self.held: list[Callable[[], object]] = []

    def hold(self, action: Callable[[], object]) -> None:
        if self.is_open:
            action()
        else:
            self.held.append(action)

    def open(self) -> None:
        self.is_open = True
        for action in self.held:
            action()


class Room:
    """Clients A, B and C, and a seat for a store if it is asked for."""

    def __init__(
        self, *, when_safe: bool = False, on_message: Any = None, fragment_size: float | None = None
    ) -> None:
        self.clock, self.gate = FakeClock(1_708_981_571_441), Gate()
        self.errors: list[str] = []
        self.told: list[Any] = []
        self.relay: Relay[WebSocket] = Relay(OBJECT_RULES)
        self.inboxes = 0
        self.passing = Passing(
            self.relay,
            when_safe,
            new_inbox=self._new_inbox,
            fragment_size=lambda: fragment_size,
            tell=lambda function, *arguments: function(*arguments),
            on_message=on_message,
            on_error=lambda error: self.errors.append(str(error)),
        )
        self.ports: dict[str, FakePort] = {}
        self.sockets: dict[str, WebSocket] = {}
        for name in "ABC":
            self.join(name)

    def _new_inbox(self, socket: WebSocket, client_id: str) -> Inbox:
        self.inboxes += 1
        return Inbox(self.clock, 1)

    def join(self, name: str) -> None:
        client, socket = WebSocketPair()
        self.ports[name], self.sockets[name] = FakePort(), socket
        client.connect(self.ports[name])
        socket.hold_output(self.gate)
        socket.accept()
        self.relay.join(name, socket)

    def say(self, name: str, text: Any) -> None:
        self.passing.receive(self.sockets[name], text)

    def take(self) -> dict[str, list[str]]:
        """What each was sent, of those who were."""
        taken = {name: port.take() for name, port in self.ports.items()}
        return {name: texts for name, texts in taken.items() if texts}

    def seat(self) -> MergeableStore:
        store = MergeableStore("server", clock=self.clock)
        seat = ServerSeat(
            MemoryPersister(store, {}),
            send=self.passing.send_from_store,
            has_several_clients=lambda: True,
            clock=self.clock,
            request_timeout_seconds=1,
            on_ignored_error=lambda error: self.errors.append(str(error)),
        )
        seat.load()
        self.passing.seat = seat
        return store


class TestClients:
    def test_what_one_says_to_all_goes_to_the_others_as_it_came(self) -> None:
        room = Room()
        room.say("A", CHANGE)
        assert room.take() == {"B": ["A" + CHANGE], "C": ["A" + CHANGE]}
        room.say("A", "C" + ASK)
        assert room.take() == {"C": ["A" + ASK]}
        room.say("A", "nobody" + ASK)
        assert room.take() == {}

    def test_pieces_are_passed_on_when_all_are_there(self) -> None:
        room = Room()
        room.say("A", PIECES[0])
        assert room.take() == {}
        room.say("A", PIECES[1])
        assert room.take()["B"] == ["A" + piece for piece in PIECES]

    def test_each_has_an_inbox_from_its_first_message_on(self) -> None:
        room = Room()
        assert room.passing.inbox(room.sockets["A"]) is None
        room.say("A", ASK)
        inbox = room.passing.inbox(room.sockets["A"])
        assert inbox is not None
        room.say("A", ASK)
        assert (room.inboxes, room.passing.inbox(room.sockets["A"])) == (1, inbox)

    def test_who_is_not_in_the_room_is_not_heard(self) -> None:
        room = Room()
        room.say("A", ASK)
        room.passing.forget(room.sockets["A"])
        room.passing.forget(room.sockets["A"])
        room.take()
        room.say("A", ASK)
        assert room.take() == {}
        assert room.passing.inbox(room.sockets["A"]) is None
        room.say("B", ASK)
        assert list(room.take()) == ["C"]

    @pytest.mark.parametrize("message", ["\nno message", b"\n[]"])
    def test_an_invalid_message_closes_its_socket_and_is_told_once(self, message: Any) -> None:
        room = Room()
        room.say("A", message)
        assert room.ports["A"].closed == (1007, "tinybase:14")
        assert room.errors == ["tinybase:14"]
        room.passing.disconnect(room.sockets["A"], SyncMessageError())
        assert room.errors == ["tinybase:14"]
        room.say("B", ASK)
        assert list(room.take()) == ["C"]

    def test_who_does_not_read_is_closed_and_others_are_sent_it(self) -> None:
        room = Room()
        room.ports["B"].buffered = MAX_PAYLOAD_BYTES - len("A" + ASK)
        room.say("A", ASK)
        assert list(room.take()) == ["B", "C"]
        room.ports["B"].buffered += 1
        room.say("A", ASK)
        assert list(room.take()) == ["C"]
        assert room.ports["B"].closed == (1013, "tinybase:15:socket")
        assert room.errors == ["tinybase:15:socket"]

    def test_a_socket_that_is_closing_is_sent_nothing(self) -> None:
        room = Room()
        room.sockets["B"].close(1000, "bye")
        room.say("A", ASK)
        assert list(room.take()) == ["C"]
        assert room.errors == []

    @pytest.mark.parametrize("when_safe", [False, True])
    def test_it_waits_for_what_was_written_where_it_has_to(self, when_safe: bool) -> None:
        room = Room(when_safe=when_safe)
        room.gate.is_open = False
        room.say("A", ASK)
        assert bool(room.take()) is not when_safe
        room.gate.open()
        assert bool(room.take()) is when_safe


class TestStore:
    @pytest.mark.parametrize("when_safe", [False, True])
    def test_it_hears_what_is_said_to_all_or_to_it(self, when_safe: bool) -> None:
        room = Room(when_safe=when_safe)
        store = room.seat()
        room.say("A", CHANGE)
        assert store.get_values() == {"v": 1}
        room.take()
        room.say("A", "S" + ASK)
        ((answer,),) = room.take().values()
        assert json.loads(answer[2:]) == ["q.0001", 0, list(store.get_mergeable_content_hashes())]
        room.say("A", "B" + CHANGE.replace("[1,", "[2,").replace("Nrb", "Nrc"))
        assert store.get_values() == {"v": 1}

    @pytest.mark.parametrize("when_safe", [False, True])
    def test_it_hears_it_before_others_only_where_that_is_what_makes_it_safe(self, when_safe: bool) -> None:
        room = Room(when_safe=when_safe)
        store = room.seat()
        heard: list[bool] = []
        store.add_value_listener("v", lambda *_: heard.append(bool(room.take())))
        room.say("A", CHANGE)
        assert heard == [not when_safe]

    def test_what_it_says_waits_until_it_is_safe(self) -> None:
        room = Room()
        room.gate.is_open = False
        room.passing.send_from_store("", ASK[1:])
        assert room.take() == {}
        room.gate.open()
        assert room.take() == {name: ["S" + ASK] for name in "ABC"}

    def test_it_says_something_to_one_or_to_all_but_one(self) -> None:
        room = Room()
        room.passing.send_from_store("B", ASK[1:])
        assert room.take() == {"B": ["S" + ASK]}
        room.passing.send_to_others("B", ASK[1:])
        assert room.take() == {"A": ["S" + ASK], "C": ["S" + ASK]}
        room.passing.send_from_store("nobody", ASK[1:])
        assert room.take() == {}

    def test_what_is_long_is_cut(self) -> None:
        room = Room(fragment_size=40)
        room.passing.send_from_store("A", CHANGE[1:])
        (pieces,) = room.take().values()
        assert len(pieces) > 1
        assert "".join(piece.split("\n", 4)[4] for piece in pieces) == CHANGE[1:]


class TestTelling:
    def test_watchers_are_told_of_whole_messages_of_clients_and_of_the_store(self) -> None:
        room = Room()
        told: list[Any] = []
        room.passing.watchers.append(lambda *what: told.append((*what[:2], what[2].number)))
        for text in PIECES:
            room.say("A", "B" + text)
        room.passing.send_from_store("C", ASK[1:])
        room.passing.send_to_others("C", ASK[1:])
        room.passing.send_from_store("nobody", ASK[1:])
        assert told == [("A", "B", 1), ("S", "C", 1), ("S", "", 1)]

    def test_who_is_told_of_messages_is_told_of_each_piece_also_to_nobody(self) -> None:
        told: list[Any] = []
        room = Room(on_message=lambda *what: told.append(what))
        room.say("A", ASK)
        for text in PIECES:
            room.say("B", text)
        room.passing.send_from_store("nobody", ASK[1:])
        bodies = [piece.partition("\n")[2] for piece in PIECES]
        assert told == [
            ("A", "", ASK[1:]),
            ("B", "", bodies[0]),
            ("B", "", bodies[1]),
            ("S", "nobody", ASK[1:]),
        ]
