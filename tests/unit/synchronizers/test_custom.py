"""A synchronizer over functions: what they are given, and when."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.errors import StoreTypeError, SyncClosedError
from durabase.mergeable import MergeableStore
from durabase.persisters import Status
from durabase.store import Store
from durabase.synchronizers import CustomSynchronizer
from durabase.testing import FakeClock
from durabase.types import UNDEFINED


class Ends:
    """The functions, and what they were given."""

    def __init__(self, store: Any = None, **options: Any) -> None:
        self.log: list[Any] = []
        self.receive: Any = None
        self.fail: Any = None
        self.clock = FakeClock()
        self.store = MergeableStore("s", clock=self.clock) if store is None else store
        self.synchronizer = CustomSynchronizer(
            self.store,
            lambda *message: self.log.append(message),
            self._register,
            lambda: self.log.append("destroyed"),
            clock=self.clock,
            **options,
        )

    def _register(self, receive: Any, fail: Any) -> None:
        self.log.append("registered")
        self.receive, self.fail = receive, fail


def test_it_registers_once_when_it_is_made_and_sends_nothing_by_itself() -> None:
    ends = Ends()
    assert ends.log == ["registered"]
    ends.clock.advance(10_000)
    assert ends.log == ["registered"]


def test_messages_are_given_as_four_arguments_with_undefined_for_what_is_deleted() -> None:
    ends = Ends(on_ignored_error=lambda _: None)
    ends.store.set_value("v", 1)
    ends.synchronizer.start_sync()
    ends.clock.advance(1000)
    ends.log.clear()
    ends.store.del_value("v")
    ((to_client, request_id, number, body),) = ends.log
    assert (to_client, type(request_id), number) == (None, str, 3)
    assert body[1][0]["v"][0] is UNDEFINED
    ends.log.clear()
    ends.receive("b", "q", 4, {})
    ((to_client, request_id, number, body),) = ends.log
    assert (to_client, request_id, number) == ("b", "q", 0)


def test_failing_ends_what_waits_for_an_answer() -> None:
    errors: list[Exception] = []
    ends = Ends(on_ignored_error=errors.append)
    started = ends.synchronizer.start_sync()
    assert ends.synchronizer.get_status() is Status.LOADING
    error = SyncClosedError()
    ends.fail(error)
    assert started.done()
    assert errors == [error]


def test_a_request_is_overdue_after_a_second_or_what_is_said() -> None:
    for options, milliseconds in (({}, 1000), ({"request_timeout": 3}, 3000)):
        ends = Ends(on_ignored_error=lambda _: None, **options)
        started = ends.synchronizer.start_sync()
        ends.clock.advance(milliseconds - 1)
        assert not started.done()
        ends.clock.advance(1)
        assert started.done()


def test_callbacks_see_what_is_sent_before_it_is_and_what_is_received() -> None:
    seen: list[Any] = []
    ends = Ends(
        on_send=lambda *m: seen.append(("send", len(ends.log), *m)),
        on_receive=lambda *m: seen.append(("receive", *m)),
        on_ignored_error=lambda _: None,
    )
    ends.receive("b", "q", 4, {})
    ends.receive("b", "q", 99, {})
    assert [entry[0] for entry in seen] == ["receive", "send"]
    assert seen[0][1:] == ("b", "q", 4, {})
    assert seen[1][1] == 1  # only that it was registered was noted by then
    assert seen[1][2:] == ends.log[1]


@pytest.mark.parametrize("is_async", [False, True])
def test_the_end_of_the_transport_is_waited_for(is_async: bool) -> None:
    log: list[str] = []

    async def later() -> None:
        await asyncio.sleep(0)
        log.append("destroyed")

    async def main() -> None:
        destroy: Any = later if is_async else lambda: log.append("destroyed")
        synchronizer = CustomSynchronizer(MergeableStore("s"), print, lambda *_: None, destroy)
        await synchronizer.destroy()
        assert log == ["destroyed"]

    asyncio.run(main())


def test_it_wants_a_mergeable_store() -> None:
    with pytest.raises(StoreTypeError):
        Ends(Store())
