"""A store in a PostgreSQL database, by psycopg: as one text, or as tables of its own.

The only module that knows psycopg, which is imported when the first persister is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from durabase.clock import SystemClock, TimerClock
from durabase.errors import PersisterError
from durabase.persisters._database.config import JsonMode, LoadTable, SaveTable, TabularMode
from durabase.persisters._database.persister import SqlCommandCallback
from durabase.persisters._queue import ActionQueue
from durabase.persisters.base import IgnoredErrorHandler
from durabase.persisters.custom_postgres import CustomPostgresPersister, NotificationListener

if TYPE_CHECKING:
    import asyncio
    from typing import TypeAlias

    from psycopg import AsyncConnection

    from durabase.store import Store

    Connection: TypeAlias = AsyncConnection[Any]
    Connect: TypeAlias = Callable[[], Awaitable[Connection]]

__all__ = ["JsonMode", "LoadTable", "PostgresPersister", "SaveTable", "TabularMode"]

_DEFAULT_PARAMETERS: Final = {
    "fallback_application_name": "durabase",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_LONGEST_PAUSE_SECONDS: Final = 30.0

_queues: WeakKeyDictionary[Connection, ActionQueue] = WeakKeyDictionary()


class PostgresPersister(CustomPostgresPersister):
    """Keeps a store in a PostgreSQL database.

    Everything needs a running event loop, and is done a while after the call that causes it; await what that
    call returned, or :meth:`schedule`. While it follows the database it has another connection to listen.

    A connection that is lost is reported. One that was opened here is opened again when it is needed, the
    listening one as soon as possible; changes that could not be saved are saved then, or with the next edit.

    Args:
        store: what is persisted; in tabular mode it must be a plain store.
        connection: a connection string or URL as libpq takes it, or a connection of yours, which stays open.
            It must be in autocommit mode, and in no transaction when the persister acts. Several persisters
            may have the same; they take turns.
        config: :class:`JsonMode`, :class:`TabularMode`, or a table name for the former, which is the default.
        on_sql_command: is called with each statement before it is run.
        on_ignored_error: is called with each error that is not raised.
        clock: wakes the persister when it is time to try to listen again.

    Raises:
        StoreTypeError: the mode is tabular and the store is mergeable.
        PersisterError: the connection is not in autocommit mode, or psycopg is missing.
    """

    def __init__(
        self,
        store: Store,
        connection: str | Connection,
        config: JsonMode | TabularMode | str | None = None,
        *,
        on_sql_command: SqlCommandCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        _require_psycopg()
        opener, queue = _Opener(connection), None
        self._session: _OwnSession | _LentSession
        if isinstance(connection, str):
            self._session = _OwnSession(opener.open, self._restore_following)
        else:
            self._session = _LentSession(connection)
            queue = _queues.setdefault(connection, ActionQueue())
        timers = SystemClock() if clock is None else clock
        super().__init__(
            store,
            config,
            self._session.execute,
            lambda channel, listener: _Subscription.start(
                opener.open, channel, listener, self._report, timers
            ),
            lambda subscription: subscription.stop(),
            on_sql_command=on_sql_command,
            on_ignored_error=on_ignored_error,
            destroy=self._session.close,
            queue=queue,
        )

    def get_connection(self) -> Connection | None:
        """The connection that statements run in; ``None`` if there is none at the moment."""
        return self._session.connection

    def _restore_following(self) -> None:
        """What kept the triggers went with the lost session."""
        if self._following is not None:
            self._following.hear(None)


class _Opener:
    """Opens connections: to where a connection string says, or to where another connection leads."""

    def __init__(self, connection: str | Connection) -> None:
        self._connection = connection

    async def open(self) -> Connection:
        from psycopg import AsyncConnection

        return await AsyncConnection.connect(**{**_DEFAULT_PARAMETERS, **self._parameters()}, autocommit=True)

    def _parameters(self) -> dict[str, Any]:
        if isinstance(self._connection, str):
            from psycopg.conninfo import conninfo_to_dict

            return conninfo_to_dict(self._connection)
        info = self._connection.info
        return {**info.get_parameters(), "password": info.password}


class _OwnSession:
    """A connection that is opened when it is needed, and again if it was lost."""

    def __init__(self, connect: Connect, on_lost: Callable[[], None]) -> None:
        self._connect = connect
        self._on_lost = on_lost
        self.connection: Connection | None = None

    async def execute(self, sql: str, params: Sequence[Any] | None) -> list[dict[str, Any]]:
        """Run a statement; a second time if the connection proves to be lost and was in no transaction."""
        from psycopg import OperationalError

        connection = self.connection
        if connection is None:
            if sql == "ROLLBACK":
                return []  # what was lost is rolled back
            connection = await self._open()
        was_idle = _is_idle(connection)
        try:
            return await _execute(connection, sql, params)
        except OperationalError:
            if not connection.closed:
                raise
            self.connection = None
            self._on_lost()
            if not was_idle:
                raise
        return await _execute(await self._open(), sql, params)

    async def close(self) -> None:
        if self.connection is not None:
            await self.connection.close()

    async def _open(self) -> Connection:
        self.connection = connection = await self._connect()
        return connection


class _LentSession:
    """A connection that belongs to somebody else."""

    def __init__(self, connection: Connection) -> None:
        if not connection.autocommit:
            raise PersisterError(
                "the connection begins transactions by itself; expected one that is in autocommit mode, "
                "as of `AsyncConnection.connect(conninfo, autocommit=True)`"
            )
        self.connection = connection

    async def execute(self, sql: str, params: Sequence[Any] | None) -> list[dict[str, Any]]:
        if sql == "BEGIN" and not (_is_idle(self.connection) or self.connection.closed):
            raise PersisterError("the connection is in a transaction, which is not the persister's")
        return await _execute(self.connection, sql, params)

    def close(self) -> None:
        """It stays open."""


class _Subscription:
    """Listens to a channel in a connection of its own, and goes on in another one when that is lost."""

    def __init__(
        self,
        connect: Connect,
        channel: str,
        listener: NotificationListener,
        report: Callable[[Exception], None],
        clock: TimerClock,
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._listener = listener
        self._report = report
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, *arguments: Any) -> _Subscription:
        """Listen from now on."""
        import asyncio

        subscription = cls(*arguments)
        connection = await subscription._open()
        subscription._task = asyncio.create_task(subscription._run(connection))
        return subscription

    async def stop(self) -> None:
        """Listen no more."""
        import asyncio

        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, connection: Connection) -> None:
        from psycopg import Error

        while True:
            try:
                async with connection:
                    async for notification in connection.notifies():
                        self._listener(notification.payload)
            except Error as error:
                self._report(error)
            connection = await self._open_again()
            self._listener(None)

    async def _open(self) -> Connection:
        connection = await self._connect()
        try:
            await _execute(connection, f'LISTEN "{self._channel}"', None)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _open_again(self) -> Connection:
        from psycopg import Error

        pause = 1.0
        while True:
            try:
                return await self._open()
            except Error as error:
                self._report(error)
            await _sleep(self._clock, pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def _execute(connection: Connection, sql: str, params: Sequence[Any] | None) -> list[dict[str, Any]]:
    from psycopg import AsyncRawCursor
    from psycopg.rows import dict_row

    async with AsyncRawCursor(connection, row_factory=dict_row) as cursor:
        # Not prepared, for a prepared SELECT* fails when a column was added
        await cursor.execute(sql, params, prepare=False)
        return await cursor.fetchall() if cursor.description else []


async def _sleep(clock: TimerClock, seconds: float) -> None:
    import asyncio

    over = asyncio.Event()
    timer = clock.call_later(seconds, over.set)
    try:
        await over.wait()
    finally:
        timer.cancel()


def _is_idle(connection: Connection) -> bool:
    from psycopg.pq import TransactionStatus

    return connection.info.transaction_status == TransactionStatus.IDLE


def _require_psycopg() -> None:
    try:
        import psycopg

        psycopg.AsyncRawCursor  # noqa: B018
    except (ImportError, AttributeError) as error:
        raise PersisterError(
            "psycopg 3.2 or newer is needed: `pip install 'durabase[postgres]'` or "
            "`pip install 'psycopg[binary]>=3.2'`"
        ) from error
