"""The status of a persister, and who is told of it."""

from __future__ import annotations

import pytest

from durabase.persisters._status import Status, StatusBoard


def test_each_new_status_is_told_once_to_all_in_order() -> None:
    board, told = StatusBoard(), list[tuple[str, Status]]()
    assert board.status is Status.IDLE
    for name in "ab":
        board.add_listener(lambda status, name=name: told.append((name, status)))
    for status in (Status.IDLE, Status.LOADING, Status.LOADING, Status.IDLE):
        board.set(status)
        assert board.status is status
    assert told == [("a", Status.LOADING), ("b", Status.LOADING), ("a", Status.IDLE), ("b", Status.IDLE)]


def test_the_status_is_there_when_it_is_told() -> None:
    board, seen = StatusBoard(), list[Status]()
    board.add_listener(lambda _: seen.append(board.status))
    board.set(Status.SAVING)
    assert seen == [Status.SAVING]


def test_ids_are_new_ones_also_after_others_have_gone() -> None:
    board = StatusBoard()
    ids = [board.add_listener(print), board.add_listener(print)]
    board.del_listener(ids[0])
    board.del_listener(ids[0])
    ids.append(board.add_listener(print))
    assert len(set(ids)) == 3


def test_listeners_may_come_and_go_while_it_is_told() -> None:
    board, told = StatusBoard(), list[str]()

    def first(status: Status) -> None:
        told.append("first")
        board.del_listener(first_id)
        board.add_listener(lambda _: told.append("new"))

    first_id = board.add_listener(first)
    board.add_listener(lambda _: told.append("second"))
    board.set(Status.LOADING)
    assert told == ["first", "second"]
    board.set(Status.IDLE)
    assert told[2:] == ["second", "new"]


@pytest.mark.parametrize("status", [Status.LOADING, Status.SAVING])
def test_it_is_quiet_when_nothing_is_done_and_nobody_listens(status: Status) -> None:
    board = StatusBoard()
    assert board.is_quiet()
    listener_id = board.add_listener(print)
    assert not board.is_quiet()
    board.del_listener(listener_id)
    assert board.is_quiet()
    board.set(status)
    assert not board.is_quiet()
