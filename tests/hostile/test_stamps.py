"""Stamps that are too far ahead, and stamps that change nothing that one can see: what the store does.

The latter have to be saved all the same: without them the hashes can't be had again after a restart, and
an older edit, which was overruled, would win.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durabase import MergeableStore
from durabase.synchronizers.protocol.messages import parse_message
from e2e._server import Server
from hostile._peer import DIFF, HASHES, UNDEFINED_MARK, Peer, cells_diff, message, now, values_diff

AHEAD_MS = 300_000
SLACK_MS = 5_000


def far_ahead() -> str:
    return now(AHEAD_MS + SLACK_MS)


def with_good(stamp: Any) -> list[Any]:
    """A diff in which all is well but the tables."""
    return [stamp, [{"good": [1, now()]}], 1]


FUTURE: dict[str, Callable[[], list[Any]]] = {
    "value": lambda: values_diff({"bad": 1}, far_ahead()),
    "value beside a good one": lambda: [[{}], [{"good": [1, now()], "bad": [1, far_ahead()]}], 1],
    "values": lambda: [[{}], [{"good": [1, now()]}, far_ahead()], 1],
    "cell": lambda: with_good([{"t": [{"r": [{"c": [1, far_ahead()]}]}]}]),
    "row": lambda: with_good([{"t": [{"r": [{"c": [1, now()]}, far_ahead()]}]}]),
    "table": lambda: with_good([{"t": [{"r": [{"c": [1, now()]}]}, far_ahead()]}]),
    "tables": lambda: with_good([{"t": [{"r": [{"c": [1, now()]}]}]}, far_ahead()]),
    "the last time there is": lambda: values_diff({"bad": 1}, "z" * 16),
    "deletion": lambda: values_diff({"kept": UNDEFINED_MARK}, far_ahead()),
}


@pytest.mark.parametrize("diff", FUTURE.values(), ids=FUTURE.keys())
def test_more_than_five_minutes_ahead_is_passed_on_but_not_merged(
    server: Server, room: str, diff: Callable[[], list[Any]]
) -> None:
    with Peer(server.port, room) as witness, Peer(server.port, room) as sender:
        witness.broadcast(values_diff({"kept": 1}))
        before = witness.hashes()
        body = diff()
        sender.broadcast(body)
        assert witness.hear_from(sender.key, DIFF)[2] == body
        assert witness.hashes() == before
        sender.broadcast(values_diff({"kept": 2}))
        assert {name: stamp[0] for name, stamp in sender.values().items()} == {"kept": 2}


def test_up_to_five_minutes_ahead_is_merged_and_wins(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        sender.broadcast(values_diff({"a": "ahead"}, now(AHEAD_MS - SLACK_MS)))
        sender.broadcast(values_diff({"a": "now"}))
        assert sender.values()["a"][0] == "ahead"


def test_what_is_pulled_from_a_client_is_not_taken_from_the_future_either(server: Server, room: str) -> None:
    with Peer(server.port, room) as sender:
        sender.hear_from("S", 1)
        sender.hashes()
        sender.broadcast([0, 12345], HASHES)
        request = sender.hear_from("S", 7)
        answer = [{"bad": [1, far_ahead()], "good": [1, now()]}]
        sender.say(f"S\n{message(0, answer, request[0])}")
        assert sender.values() == {}


def test_nothing_of_the_future_is_stored(own_server: Server, room: str) -> None:
    with Peer(own_server.port, room) as sender:
        sender.broadcast(values_diff({"kept": 1}))
        sender.broadcast(values_diff({"bad": 1}, far_ahead()))
        before = sender.hashes()
    own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.hashes() == before
        assert sender.values().keys() == {"kept"}


def test_what_changes_nothing_visible_survives_a_kill(own_server: Server, room: str) -> None:
    old, older, new = (now() for _ in range(3))
    expected = MergeableStore()
    with Peer(own_server.port, room) as sender:
        for body in (
            values_diff({"same": "a"}, old),
            cells_diff("t", "r", {"same": "a"}, old),
            values_diff({"same": "a"}, new),
            cells_diff("t", "r", {"same": "a"}, new),
            values_diff({"never": UNDEFINED_MARK}, new),
            cells_diff("t", "r", {"never": UNDEFINED_MARK}, new),
            cells_diff("never", "never", {"never": UNDEFINED_MARK}, new),
            [[{"empty": [{"row": [{}, new]}, new]}, new], [{}, new], 1],
            [[{"emptier": [{}]}], [{}], 1],
        ):
            sender.broadcast(body)
            expected._apply_encoded_mergeable_changes(parse_message(message(DIFF, body)).body)
        before = sender.hashes()
        content = (sender.tables(), sender.values())
    assert before == expected.get_mergeable_content_hashes()
    own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.hashes() == before
        assert (sender.tables(), sender.values()) == content
        for name in ("same", "never"):
            sender.broadcast(values_diff({name: "older"}, older))
            sender.broadcast(cells_diff("t", "r", {name: "older"}, older))
        sender.broadcast(cells_diff("never", "never", {"never": "older"}, older))
        assert sender.hashes() == before
        assert (sender.tables(), sender.values()) == content


def test_what_changes_nothing_visible_is_saved_with_its_own_turn(own_server: Server, room: str) -> None:
    """The answer to a question is as good as a receipt, whatever the edit before it was."""
    first, second = now(), now()
    with Peer(own_server.port, room) as sender:
        sender.broadcast(values_diff({"same": "a"}, first))
        sender.hashes()
        sender.broadcast(values_diff({"same": "a"}, second))
        before = sender.hashes()
        own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.hashes() == before
        assert sender.values() == {"same": ["a", second]}
