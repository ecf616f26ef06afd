"""Ways for other threads to take turns with an event loop; and an event loop in a thread of its own.

Whatever is called here runs on the loop's thread, one thing at a time, in the order in which it was
asked for; or it runs on the caller's thread while the loop's thread is held up. So what belongs to the
loop is never touched by two threads at once. Knows nothing of stores.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, cast, final

from durabase.errors import SyncClosedError, SyncError

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

__all__ = ["LoopThread", "LoopTurns"]


class LoopTurns:
    """Turns with an event loop that a thread runs.

    Args:
        loop: the event loop. thread: what runs it.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop | None = None, thread: threading.Thread | None = None
    ) -> None:
        self._loop = loop
        self._thread = thread
        self._lock = threading.Lock()
        self._holder: threading.Thread | None = None

    def is_open(self) -> bool:
        """Whether the loop takes calls."""
        return self._loop is not None and not self._loop.is_closed()

    def has_turn(self) -> bool:
        """Whether the current thread is the one that may touch what belongs to the loop."""
        return threading.current_thread() is (self._holder or self._thread)

    def call(self, function: Callable[[], Any]) -> Any:
        """The result of ``function()``, run on the loop's thread; an awaitable is awaited there.

        The current thread waits. If it has the turn already, it calls the function itself, and gets an
        awaitable as it is.

        Raises:
            SyncClosedError: the loop is closed, or is closed before there is a result.
            Exception: what the function raises.
        """
        if self.has_turn():
            return function()
        future = self._submit(function)
        try:
            return _result(future)
        finally:
            future.cancel()  # if this thread was interrupted

    def wait(self, function: Callable[[], Any], timeout: float | None) -> bool:
        """Like :meth:`call`, but for at most ``timeout`` seconds; tell whether it ended within them.

        Raises:
            SyncClosedError: the loop is closed, or is closed before it has ended.
            Exception: what the function raises.
        """
        from concurrent.futures import wait

        future = self._submit(function)
        try:
            if not wait((future,), timeout).done:
                return False
        finally:
            future.cancel()
        _result(future)
        return True

    @contextmanager
    def hold(self, scope: Callable[[], AbstractContextManager[object]]) -> Iterator[None]:
        """Run the body on this thread, within a ``scope()`` that the loop's thread enters and leaves.

        The loop stands still meanwhile. What the body raises is raised inside the scope, too.

        Raises:
            SyncClosedError: the loop is closed.
            Exception: what entering or leaving the scope raises.
        """
        from concurrent.futures import wait

        if self.has_turn():
            with scope():
                yield
            return
        turn = _Turn(scope)
        ended = self._submit(turn.run)
        try:
            turn.wait(ended)
            self._holder = threading.current_thread()
            try:
                yield
            finally:
                self._holder = None
        except BaseException:
            turn.end(failed=True)
            wait((ended,))  # the scope sees a failure, too; the body's own is the one to raise
            raise
        turn.end(failed=False)
        _result(ended)

    def _submit(self, function: Callable[[], Any]) -> Future[Any]:
        from asyncio import run_coroutine_threadsafe

        with self._lock:
            if self._loop is None or self._loop.is_closed():
                raise SyncClosedError("not open")
            return run_coroutine_threadsafe(_completed(function), self._loop)


class LoopThread(LoopTurns):
    """A thread that runs an event loop until it is closed.

    It is a daemon: a program that ends without closing it is not kept alive.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """Start the thread and wait until its loop runs."""
        from concurrent.futures import Future

        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name=self._name, daemon=True)
        self._thread.start()
        started.result()

    def close(self) -> None:
        """Let the loop do what it was asked to do so far, then end the thread. Harmless if it has ended.

        Raises:
            SyncError: this is the loop's own thread, which can't wait for its end.
        """
        if self.has_turn():
            raise SyncError("this can't be closed by what is running on it; close it from another thread")
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None and self._stop is not None and self._thread is not None:
            loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _run(self, started: Future[None]) -> None:
        import asyncio

        try:
            asyncio.run(self._main(started))
        finally:
            with self._lock:
                self._loop = None

    async def _main(self, started: Future[None]) -> None:
        import asyncio

        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        started.set_result(None)
        await self._stop.wait()


async def _completed(function: Callable[[], Any]) -> Any:
    result = function()
    return await cast("Awaitable[Any]", result) if hasattr(result, "__await__") else result


def _result(future: Future[Any]) -> Any:
    from concurrent.futures import CancelledError

    try:
        return future.result()
    except CancelledError:
        raise SyncClosedError("closed meanwhile") from None


class _BodyFailedError(Exception):
    """Stands, inside the scope, for what the body has raised on the other thread."""


@final
class _Turn:
    """One hold: the loop's thread waits inside the scope while another thread runs the body."""

    def __init__(self, scope: Callable[[], AbstractContextManager[object]]) -> None:
        self._scope = scope
        self._begun = threading.Event()
        self._ended = threading.Event()
        self._failed = False

    def run(self) -> None:
        """What the loop's thread does."""
        with self._scope():
            self._begun.set()
            self._ended.wait()
            if self._failed:
                raise _BodyFailedError

    def wait(self, outcome: Future[None]) -> None:
        """Wait for the turn; raise what kept the scope from being entered."""
        outcome.add_done_callback(lambda _: self._begun.set())
        self._begun.wait()
        if outcome.done():
            _result(outcome)

    def end(self, *, failed: bool) -> None:
        """Let the loop's thread go on."""
        self._failed = failed
        self._ended.set()
