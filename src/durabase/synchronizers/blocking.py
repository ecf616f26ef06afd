"""Synchronizing for programs without an event loop: scripts, notebooks, threads.

A :class:`BlockingSynchronizer` runs a :class:`~durabase.synchronizers.WsSynchronizer` on an event loop in
a thread of its own; it does not matter whether the caller's thread runs a loop, as in Jupyter. From the
moment it is opened, the store belongs to that thread: changes of peers come in there and listeners are
called there. Other threads take turns by :meth:`~BlockingSynchronizer.transaction` and
:meth:`~BlockingSynchronizer.call`; touching the store in any other way is not safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypedDict, TypeVar, Unpack

from durabase.clock import TimerClock
from durabase.errors import SyncError, SyncTimeoutError
from durabase.persisters.base import IgnoredErrorHandler
from durabase.synchronizers._loop_thread import LoopThread
from durabase.synchronizers._reconnecting import Backoff
from durabase.synchronizers.base import MessageCallback
from durabase.synchronizers.ws_client import ConnectionListener, OpenTransport, WsSynchronizer

if TYPE_CHECKING:
    import ssl

    from durabase.mergeable import MergeableStore

__all__ = ["BlockingSynchronizer", "ConnectOptions", "connect_blocking"]

P = ParamSpec("P")
T = TypeVar("T")


class ConnectOptions(TypedDict, total=False):
    """The options of :meth:`WsSynchronizer.connect <durabase.synchronizers.WsSynchronizer.connect>`."""

    request_timeout: float
    fragment_size: float | None
    headers: Mapping[str, str] | None
    ssl: ssl.SSLContext | None
    compression: bool
    on_send: MessageCallback | None
    on_receive: MessageCallback | None
    on_ignored_error: IgnoredErrorHandler | None
    on_connection: ConnectionListener | None
    open_transport: OpenTransport | None
    backoff: Backoff | None
    clock: TimerClock | None


def connect_blocking(
    store: MergeableStore, url: str, **options: Unpack[ConnectOptions]
) -> BlockingSynchronizer:
    """A synchronizer that connects when it is entered with ``with``, and again when that is needed.

    ::

        with connect_blocking(store, "ws://127.0.0.1:8787/foo") as sync:
            sync.start_sync()
            with sync.transaction():
                store.set_row("pets", "felix", {"species": "cat"})
            print(sync.call(store.get_tables))

    Args:
        store: the store.
        url: ``ws://`` or ``wss://``, with the path.
        options: those of ``WsSynchronizer.connect``. Callbacks are called on the synchronizer's thread.
    """
    return BlockingSynchronizer(WsSynchronizer.connect(store, url, **options))


class BlockingSynchronizer:
    """A synchronizer with a thread of its own, for callers that wait.

    All methods may be called from any thread. Leaving the ``with`` block, or :meth:`close`, sends what is
    still to be sent. A synchronizer that was closed can't be opened again.

    Args:
        synchronizer: one that has not been started.
    """

    def __init__(self, synchronizer: WsSynchronizer) -> None:
        self._synchronizer = synchronizer
        self._thread = LoopThread("durabase-synchronizer")
        self._was_opened = False

    def __enter__(self) -> Self:
        return self if self._thread.is_open() else self.open()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def open(self) -> Self:
        """Start the thread and begin to connect, without waiting for the connection.

        Raises:
            SyncError: this was opened before.
        """
        if self._was_opened:
            raise SyncError("this synchronizer was opened before; make another one with connect_blocking")
        self._was_opened = True
        self._thread.start()
        try:
            self._thread.call(self._synchronizer.__aenter__)
        except BaseException:
            self._thread.close()
            raise
        return self

    def close(self) -> None:
        """Send what is still to be sent, close the connection and end the thread. May be called again.

        Raises:
            SyncError: called by a listener or in a transaction, that is, by what this would wait for.
        """
        if self._thread.has_turn():
            raise SyncError("a synchronizer can't be closed by a listener or within its transaction")
        if self._thread.is_open():
            try:
                self._thread.call(self._synchronizer.destroy)
            finally:
                self._thread.close()

    # Syncing

    def start_sync(self, initial_content: Any = None, *, timeout: float | None = 10.0) -> Self:
        """Wait for a connection, follow the peers, and wait until what they have is here.

        Args:
            initial_content: is taken if nobody had anything.
            timeout: how many seconds to wait for the connection, ``None`` for as long as it takes. With 0
                syncing begins at once, and catches up when there is a connection.

        Raises:
            SyncTimeoutError: there is no connection; syncing has not begun.
            SyncClosedError: this is not open.
        """
        if timeout != 0 and not self.wait_connected(timeout):
            raise SyncTimeoutError(f"no connection within {timeout} seconds")
        self._thread.call(lambda: self._synchronizer.start_sync(initial_content))
        return self

    def stop_sync(self) -> Self:
        """Stop following peers and telling them edits; the connection stays.

        Raises:
            SyncClosedError: this is not open.
        """
        self._thread.call(self._synchronizer.stop_sync)
        return self

    def is_connected(self) -> bool:
        """Whether a connection is open now."""
        return self._synchronizer.is_connected()

    def wait_connected(self, timeout: float | None = None) -> bool:
        """Wait until a connection is open; tell whether that was within ``timeout`` seconds.

        Raises:
            SyncClosedError: this is not open, or is closed meanwhile.
        """
        return self._wait(self._synchronizer.connected, timeout)

    def wait_saved(self, timeout: float | None = None) -> bool:
        """Wait until the server's own copy has all that is in the store; tell whether that was in time.

        See :meth:`WsSynchronizer.saved <durabase.synchronizers.WsSynchronizer.saved>`.

        Raises:
            SyncClosedError: this is not open, or is closed meanwhile.
        """
        return self._wait(self._synchronizer.saved, timeout)

    # The store

    def transaction(
        self, do_rollback: Callable[[MergeableStore], object] | None = None
    ) -> AbstractContextManager[None]:
        """A context in which this thread may read and write the store, all writes being one transaction.

        The synchronizer stands still meanwhile, so it should be short. Listeners are called on the
        synchronizer's thread when the context ends, before the next statement. An exception that leaves
        it undoes everything and passes on.

        Args:
            do_rollback: as for ``Store.transaction``.

        Raises:
            SyncClosedError: this is not open.
        """
        store: Any = self._synchronizer.get_store()
        return self._thread.hold(lambda: store.transaction(do_rollback))

    def call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """The result of ``function(*arguments)``, called on the synchronizer's thread.

        For single reads and writes, ``sync.call(store.get_row, "pets", "felix")``, for adding listeners,
        and for persisters of the same store: a result that can be awaited is awaited there, so
        ``sync.call(persister.start_auto_persisting)`` returns when that is done. Called by a listener or
        in a transaction, nothing is awaited.

        Raises:
            SyncClosedError: this is not open.
            Exception: what the function raises.
        """
        result: T = self._thread.call(lambda: function(*arguments, **options))
        return result

    def wait_until(self, condition: Callable[[], object], timeout: float | None = None) -> bool:
        """Wait until ``condition()`` is true; tell whether that was within ``timeout`` seconds.

        It is called on the synchronizer's thread: now, and after each transaction of the store.

        Raises:
            SyncClosedError: this is not open.
            Exception: what the condition raises.
        """
        return self._wait(lambda: self._until(condition), timeout)

    def get_store(self) -> MergeableStore:
        """The store that is synchronized."""
        store: Any = self._synchronizer.get_store()
        return store  # type: ignore[no-any-return]

    def get_synchronizer(self) -> WsSynchronizer:
        """The synchronizer itself. Its methods may only be called by :meth:`call`."""
        return self._synchronizer

    def _wait(self, waiting: Callable[[], Any], timeout: float | None) -> bool:
        if self._thread.has_turn():
            raise SyncError("nothing can be waited for by a listener or within a transaction")
        return self._thread.wait(waiting, timeout)

    async def _until(self, condition: Callable[[], object]) -> None:
        import asyncio  # here, for importing a synchronizer must not load asyncio

        changed = asyncio.Event()
        store = self._synchronizer.get_store()
        listener_id = store.add_did_finish_transaction_listener(lambda _store: changed.set())
        try:
            while not condition():
                changed.clear()
                await changed.wait()
        finally:
            store.del_listener(listener_id)
