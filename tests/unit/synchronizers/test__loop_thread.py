"""A loop in a thread, and taking turns with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from durabase.errors import SyncClosedError, SyncError
from durabase.synchronizers._loop_thread import LoopThread

PATIENCE = 20.0


@pytest.fixture
def loop_thread() -> Iterator[LoopThread]:
    loop_thread = LoopThread("test-loop")
    loop_thread.start()
    yield loop_thread
    loop_thread.close()


class Scope:
    """A context that notes which thread enters and leaves it, and what it sees."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.log.append(("enter", threading.current_thread().name))
        try:
            yield
        except Exception as error:
            self.log.append(type(error).__name__)
            raise
        finally:
            self.log.append(("leave", threading.current_thread().name))


def raises(error: BaseException) -> Any:
    raise error


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


def test_calls_run_on_the_thread_of_the_loop(loop_thread: LoopThread) -> None:
    assert loop_thread.call(lambda: threading.current_thread().name) == "test-loop"
    assert loop_thread.call(lambda: later(1)) == 1
    assert loop_thread.call(asyncio.get_running_loop) is loop_thread.call(asyncio.get_running_loop)
    with pytest.raises(KeyError, match="x"):
        loop_thread.call(lambda: raises(KeyError("x")))


def test_a_call_within_a_call_is_made_at_once(loop_thread: LoopThread) -> None:
    assert loop_thread.call(lambda: loop_thread.call(lambda: threading.current_thread().name)) == "test-loop"
    assert loop_thread.call(loop_thread.has_turn)
    assert not loop_thread.has_turn()


def test_waiting_has_an_end(loop_thread: LoopThread) -> None:
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    assert not loop_thread.wait(forever, 0.01)
    assert cancelled.wait(PATIENCE)
    assert loop_thread.wait(lambda: later(1), PATIENCE)
    with pytest.raises(TimeoutError):
        loop_thread.wait(lambda: raises(TimeoutError()), PATIENCE)


def test_holding_runs_the_body_here_and_the_scope_there(loop_thread: LoopThread) -> None:
    scope = Scope()
    with loop_thread.hold(scope):
        scope.log.append(threading.current_thread().name)
        assert loop_thread.has_turn()
        scope.log.append(loop_thread.call(lambda: threading.current_thread().name))
    assert not loop_thread.has_turn()
    assert scope.log == [("enter", "test-loop"), "MainThread", "MainThread", ("leave", "test-loop")]


def test_the_loop_stands_still_while_it_is_held(loop_thread: LoopThread) -> None:
    log: list[str] = []
    threads = [
        threading.Thread(target=loop_thread.call, args=(lambda: log.append("call"),)) for _ in range(5)
    ]
    with loop_thread.hold(Scope()):
        for thread in threads:
            thread.start()
        assert log == []
        log.append("body")
    for thread in threads:
        thread.join(PATIENCE)
    assert log == ["body"] + ["call"] * 5


def test_many_threads_hold_one_after_the_other(loop_thread: LoopThread) -> None:
    count = 0

    def work() -> None:
        nonlocal count
        for _ in range(50):
            with loop_thread.hold(Scope()):
                seen = count
                threading.Event().wait(0)
                count = seen + 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert count == 200


def test_holding_within_a_hold(loop_thread: LoopThread) -> None:
    outer, inner = Scope(), Scope()
    with loop_thread.hold(outer), loop_thread.hold(inner):
        pass
    assert inner.log == [("enter", "MainThread"), ("leave", "MainThread")]
    assert outer.log == [("enter", "test-loop"), ("leave", "test-loop")]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt("x")])
def test_what_the_body_raises_is_seen_by_the_scope(loop_thread: LoopThread, error: BaseException) -> None:
    scope = Scope()
    with pytest.raises(type(error), match="x"), loop_thread.hold(scope):
        raise error
    assert scope.log == [("enter", "test-loop"), "_BodyFailedError", ("leave", "test-loop")]
    assert loop_thread.call(lambda: 1) == 1


def test_a_scope_that_can_not_be_entered_or_left(loop_thread: LoopThread) -> None:
    @contextmanager
    def bad_end() -> Iterator[None]:
        yield
        raise KeyError("end")

    with pytest.raises(KeyError, match="begin"), loop_thread.hold(lambda: raises(KeyError("begin"))):
        raise AssertionError("the body must not run")
    with pytest.raises(KeyError, match="end"), loop_thread.hold(bad_end):
        pass
    assert loop_thread.call(lambda: 1) == 1


def test_the_end() -> None:
    loop_thread = LoopThread("test-loop")
    with pytest.raises(SyncClosedError):
        loop_thread.call(lambda: 1)
    loop_thread.start()
    assert loop_thread.is_open()
    with pytest.raises(SyncError, match="from another thread"):
        loop_thread.call(loop_thread.close)
    loop_thread.close()
    loop_thread.close()
    assert not loop_thread.is_open()
    for use in (loop_thread.call, lambda function: loop_thread.wait(function, 1.0)):
        with pytest.raises(SyncClosedError):
            use(lambda: 1)
    with pytest.raises(SyncClosedError), loop_thread.hold(Scope()):
        raise AssertionError("the body must not run")


def test_who_waits_hears_of_the_end(loop_thread: LoopThread) -> None:
    waits = threading.Event()
    errors: list[BaseException] = []

    async def forever() -> None:
        waits.set()
        await asyncio.Event().wait()

    def work() -> None:
        try:
            loop_thread.call(forever)
        except SyncClosedError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert waits.wait(PATIENCE)
    loop_thread.close()
    thread.join(PATIENCE)
    assert [str(error) for error in errors] == ["tinybase:5:closed meanwhile"]
