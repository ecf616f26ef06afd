"""From whom the store pulls, and when."""

from __future__ import annotations

from durabase.sync_server._pulls import MAX_PULLS, PullQueue
from durabase.synchronizers.protocol.messages import Message, MessageType


def told(number: int) -> Message:
    return Message(f"t{number}", MessageType.CONTENT_HASHES, [number, 0])


def test_who_has_told_something_newer_waits_anew() -> None:
    queue = PullQueue()
    for client, number in (("a", 1), ("b", 2), ("a", 3)):
        queue.add(client, told(number))
    assert [queue.begin(), queue.begin(), queue.begin()] == [("b", told(2)), ("a", told(3)), None]


def test_so_many_are_under_way_at_a_time() -> None:
    queue = PullQueue()
    assert queue.is_over
    for number in range(MAX_PULLS + 1):
        queue.add(f"c{number}", told(number))
    for number in range(MAX_PULLS):
        assert queue.begin() == (f"c{number}", told(number))
    assert queue.begin() is None
    queue.ended()
    assert queue.begin() == (f"c{MAX_PULLS}", told(MAX_PULLS))
    for _ in range(MAX_PULLS):
        assert not queue.is_over
        queue.ended()
    assert queue.is_over
