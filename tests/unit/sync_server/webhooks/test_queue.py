"""What is still to be told, in the storage of an object."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import EntryTooLargeError
from durabase.sync_server.webhooks import queue as module
from durabase.sync_server.webhooks.queue import Queue, QueuedEvent
from unit.durable_objects.storage.test_kv import in_object

kv_only = ("kv",)


def event(number: int, **more: Any) -> QueuedEvent:
    return QueuedEvent(f"msg_{number}", f"body {number}", 1000 * number, **more)


def filled(storage: Any, count: int) -> Queue:
    queue = Queue(storage, "hook")
    for number in range(count):
        queue.add(event(number))
    return queue


@in_object(kinds=kv_only)
def test_first_come_first_told(storage: Any) -> None:
    queue = Queue(storage, "hook")
    assert (queue.is_empty, queue.first(), queue.first_number) == (True, None, 0)
    for number in range(3):
        queue.add(event(number))
    assert not queue.is_empty
    for number in range(3):
        assert (queue.first(), queue.first_number) == (event(number), number)
        queue.remove_first()
    assert (queue.is_empty, queue.first(), queue.first_number) == (True, None, 3)
    queue.add(event(9))
    assert (queue.first(), queue.first_number) == (event(9), 3)


@in_object(kinds=kv_only)
def test_what_waits_is_there_for_the_next_life_and_goes_on_in_order(storage: Any) -> None:
    filled(storage, 12).remove_first()
    again = Queue(storage, "hook")
    assert (again.first(), again.first_number) == (event(1), 1)
    again.add(event(99))
    told = []
    while (first := again.first()) is not None:
        told.append(first)
        again.remove_first()
    assert told == [*(event(number) for number in range(1, 12)), event(99)]


@in_object(kinds=kv_only)
def test_each_address_has_its_own(storage: Any) -> None:
    filled(storage, 2)
    assert Queue(storage, "another").is_empty
    assert [key.rpartition(":")[0] for key in storage.list().result] == ["webhooks:hook:waiting"] * 2


@in_object(kinds=kv_only)
def test_one_that_failed_keeps_its_place(storage: Any) -> None:
    queue = filled(storage, 2)
    failed = event(0, attempts=1, fault="nobody is there")
    queue.postpone_first(failed)
    assert (queue.first(), queue.first_number) == (failed, 0)
    assert Queue(storage, "hook").first() == failed


@in_object(kinds=kv_only)
def test_one_that_is_given_up_is_laid_aside_and_the_next_has_its_turn(storage: Any) -> None:
    queue = filled(storage, 3)
    given_up = [event(number, attempts=5, fault="no") for number in range(2)]
    for each in given_up:
        queue.lay_first_aside(each)
    assert queue.dead() == Queue(storage, "hook").dead() == given_up
    assert queue.first() == event(2)


@in_object(kinds=kv_only)
def test_the_latest_of_those_laid_aside_are_kept(storage: Any) -> None:
    count = module.MAX_DEAD + 3
    queue = filled(storage, count)
    for number in range(count):
        queue.lay_first_aside(event(number))
    assert [dead.id for dead in queue.dead()] == [f"msg_{number}" for number in range(3, count)]


@in_object(kinds=kv_only)
def test_those_laid_aside_are_told_again_after_what_waits_as_if_they_were_new(storage: Any) -> None:
    queue = filled(storage, 3)
    for number in range(2):
        queue.lay_first_aside(event(number, attempts=5, fault="no"))
    assert queue.revive(77) == 2
    assert (queue.dead(), Queue(storage, "hook").dead()) == ([], [])
    told = []
    while (first := queue.first()) is not None:
        told.append((first.id, first.due_ms, first.attempts))
        queue.remove_first()
    assert told == [("msg_2", 2000, 0), ("msg_0", 77, 0), ("msg_1", 77, 0)]
    assert queue.revive(77) == 0


@in_object(kinds=kv_only)
def test_those_laid_aside_are_told_again_once_though_the_program_has_deleted_some(storage: Any) -> None:
    queue = filled(storage, 3)
    for number in range(3):
        queue.lay_first_aside(event(number))
    first, *_ = storage.list(prefix="webhooks:hook:dead:").result
    storage.delete(first)
    assert queue.revive(77) == 2
    assert (queue.dead(), queue.revive(78)) == ([], 0)
    assert [QueuedEvent(**entry).id for entry in storage.list().result.values()] == ["msg_1", "msg_2"]


@in_object(kinds=kv_only)
def test_what_the_program_deletes_is_passed_over(storage: Any) -> None:
    queue = filled(storage, 4)
    keys = list(storage.list().result)
    storage.delete([keys[0], keys[1], keys[3]])
    assert (queue.first(), queue.first_number) == (event(2), 2)
    queue.remove_first()
    assert (queue.first(), queue.is_empty) == (None, True)


@in_object(kinds=kv_only)
def test_it_is_full_when_more_waits_than_should(storage: Any) -> None:
    queue = filled(storage, 0)
    numbers = {"waiting": range(5, 5 + module.MAX_WAITING), "dead": range(0)}
    queue._numbers = numbers
    assert not queue.is_full
    queue.add(event(1))
    assert queue.is_full


@in_object(kinds=kv_only)
def test_one_that_storage_does_not_take_is_not_in_it(storage: Any) -> None:
    queue = filled(storage, 1)
    with pytest.raises(EntryTooLargeError):
        queue.add(QueuedEvent("large", "x" * 3_000_000, 0))
    queue.remove_first()
    assert queue.first() is None
