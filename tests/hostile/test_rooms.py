"""Rooms that were just created or just woken, and clients that come in the middle of something."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e._server import Server
from hostile._peer import DIFF, GET_HASHES, HASHES, TABLE_DIFF, VALUE_DIFF, Peer, message, now, values_diff
from hostile._project import write_project


@pytest.fixture
def dev_server(tmp_path: Path) -> Iterator[Server]:
    """A server whose objects sleep soon, and that tells when they do."""
    project = write_project(tmp_path)
    server = Server(tmp_path, "dev", "--idle-seconds", "0.3", str(project)).start()
    yield server
    server.kill()


def test_the_first_edit_in_a_new_room_is_saved_when_the_store_answers(own_server: Server, room: str) -> None:
    with Peer(own_server.port, room) as sender:
        sender.broadcast(values_diff({"first": 1}))
        before = sender.hashes()
        own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.hashes() == before
        assert sender.values().keys() == {"first"}


def test_the_edit_that_wakes_a_room_is_passed_on_answered_and_saved(dev_server: Server) -> None:
    with Peer(dev_server.port) as first, Peer(dev_server.port) as second, Peer(dev_server.port) as third:
        first.broadcast(values_diff({"before": 1}))
        for peer in (first, second, third):
            peer.hashes()
        dev_server.wait_until_asleep()
        woken = dev_server.log.count("started (")

        first.broadcast(values_diff({"woke": 1}))
        before = first.hashes()
        assert dev_server.log.count("started (") == woken + 1
        assert [peer.hear_from(first.key, DIFF)[2][1][0].keys() for peer in (second, third)] == [{"woke"}] * 2
        dev_server.kill()
    dev_server.start()
    with Peer(dev_server.port) as sender:
        assert sender.hashes() == before
        assert sender.values().keys() == {"before", "woke"}


def test_a_new_room_is_ready_at_once(server: Server, room: str) -> None:
    started = time.monotonic()
    with Peer(server.port, room) as sender:
        sender.hashes()
        assert time.monotonic() - started < 0.9


def test_a_woken_room_is_ready_at_once(dev_server: Server) -> None:
    with Peer(dev_server.port) as sender:
        sender.hashes()
        dev_server.wait_until_asleep()
        started = time.monotonic()
        sender.hashes()
        assert time.monotonic() - started < 0.9


def test_a_client_s_first_question_to_everybody_is_answered_by_the_store(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        started = time.monotonic()
        sender.say(f"\n{message(GET_HASHES, '', 'first.1')}")
        while sender.hear() != ("S", ["first.1", 0, [0, 0]]):
            pass
        assert time.monotonic() - started < 0.9


def test_whoever_joins_while_the_store_is_pulling_gets_the_new_state(server: Server, room: str) -> None:
    with Peer(server.port, room) as source, Peer(server.port, room) as joiner:
        source.hear_from("S", 1)
        source.broadcast([0, 12345], HASHES)
        request = source.hear_from("S", VALUE_DIFF)
        before = joiner.hashes()  # the joiner has compared itself with the old state
        assert joiner.values() == {}
        source.say(f"S\n{message(0, [{'pulled': [1, now()]}], request[0])}")
        told = joiner.hear_from("S", HASHES)[2]
        while told == before:
            told = joiner.hear_from("S", HASHES)[2]
        assert told == joiner.hashes()
        assert joiner.values().keys() == {"pulled"}


def test_whoever_joins_while_a_new_room_asks_its_first_client_gets_the_new_state(
    server: Server, room: str
) -> None:
    with Peer(server.port, room) as source:
        request = source.hear_from("S", 1)
        while request[0] is None:
            request = source.hear_from("S", 1)
        source.say(f"S\n{message(0, [0, 12345], request[0])}")
        question = source.hear_from("S", VALUE_DIFF)
        with Peer(server.port, room) as joiner:
            joiner.hashes()
            source.say(f"S\n{message(0, [{'pulled': [1, now()]}], question[0])}")
            assert joiner.hear_from("S", HASHES)[2] == joiner.hashes()
            assert joiner.values().keys() == {"pulled"}


def test_answers_that_fit_no_question_are_ignored(server: Server, room: str) -> None:
    with Peer(server.port, room) as liar, Peer(server.port, room) as honest:
        honest.broadcast(values_diff({"kept": 1}))
        before = honest.hashes()
        liar.hear_from("S", 1)
        for request_id in ("guess", "guess.1", None):
            bodies: list[list[Any]] = [[1, 2], [{}], [[{}], {}], [{"bad": [1, now()]}]]
            for body in bodies:
                liar.say(f"S\n{message(0, body, request_id)}")
        liar.broadcast([7, 7], HASHES)
        question = liar.hear_from("S", TABLE_DIFF)
        liar.say(f"S\n{message(0, [1, 2], question[0])}")  # the answer to another question
        assert honest.hashes() == before
        liar.broadcast([7, before[1]], HASHES)
        question = liar.hear_from("S", TABLE_DIFF)
        honest.say(f"S\n{message(0, [[{}], {}], question[0])}")  # somebody else's question
        honest.broadcast(values_diff({"kept": 2}))
        assert honest.values()["kept"][0] == 2


def test_a_client_that_never_answers_holds_nobody_up(server: Server, room: str) -> None:
    with Peer(server.port, room) as silent, Peer(server.port, room) as honest:
        for number in range(300):
            silent.broadcast([number, number], HASHES)
        silent.hashes()
        honest.broadcast(values_diff({"good": 1}))
        started = time.monotonic()
        assert honest.values().keys() == {"good"}
        assert time.monotonic() - started < 0.9
