"""``ctx.storage``: keys and values of one object, its alarm, its transactions.

Every method does its work when it is called and gives an awaitable that may be dropped. What one turn
of the event loop wrote is committed together, and nothing the object sends leaves before.
Options may be keywords or a trailing dict, in either spelling; unknown ones are ignored.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from inspect import isawaitable
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from durabase._names import js_names
from durabase.clock import Clock
from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.storage.bookmarks import NO_HISTORY, ZERO
from durabase.durable_objects.storage.change_journal import NoJournal
from durabase.durable_objects.storage.done import DONE, Done
from durabase.durable_objects.storage.entries import decoded_entries, decoded_entry, encoded_entries
from durabase.durable_objects.storage.keys import key_bytes, key_range, key_text, merged_options
from durabase.durable_objects.storage.sql import SqlFile, SqlStorage
from durabase.durable_objects.storage.store import AlarmRow, Bookmarks, ObjectStore
from durabase.durable_objects.storage.sync_kv import SyncKv
from durabase.durable_objects.storage.times import alarm_ms, time_ms
from durabase.durable_objects.storage.transactions import Transaction
from durabase.errors import AlarmError, StorageError
from durabase.types import UNDEFINED
from durabase.web.attribute_dict import AttributeDict

__all__ = ["DurableObjectStorage", "StorageHost", "StorageRules"]

T = TypeVar("T")


_Options: TypeAlias = Mapping[str, Any] | None
_List: TypeAlias = list
_Dict: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StorageRules:
    """What a class's storage allows.

    Attributes:
        is_strict: values become, or are refused, as on Cloudflare.
        max_keys: how many keys one ``get`` may ask for.
    """

    max_key_bytes: int | None
    max_value_bytes: int
    delete_all_deletes_alarm: bool = True
    has_alarm_handler: bool = True
    is_strict: bool = False
    max_keys: int | None = None


class StorageHost(Protocol):
    """What the storage needs of the life it belongs to."""

    @property
    def clock(self) -> Clock:
        """The time."""

    constructing: bool

    def check_alive(self) -> None:
        """Raise what ended the life, if something did."""

    def run_section(self, action: Callable[[], Awaitable[T]], *, seconds: float | None = ...) -> Awaitable[T]:
        """Run ``action`` as a critical section, for so long at most; what it raises is the caller's."""


@js_names
class DurableObjectStorage:
    """The storage of one object.

    Attributes:
        running_alarm: the serial of the alarm whose handler runs; it counts as not set.
    """

    def __init__(
        self,
        store: ObjectStore,
        gate: OutputGate,
        rules: StorageRules,
        host: StorageHost,
        sql_file: SqlFile | None = None,
    ) -> None:
        self._store = store
        self._gate = gate
        self._rules = rules
        self._host = host
        self._transactions = 0
        self.running_alarm: int | None = None
        self._sql = (
            None if sql_file is None else SqlStorage(sql_file, host.check_alive, is_strict=rules.is_strict)
        )
        self._kv = None if sql_file is None else SyncKv(store, host.check_alive, rules)

    # Reading

    def get(self, key: str | Iterable[str], options: _Options = None, **more: Any) -> Done[Any]:
        """The value of ``key``, ``None`` if there is none; of several keys, a dict of those that exist,
        ordered by key."""
        self._host.check_alive()
        if isinstance(key, str) or not isinstance(key, Iterable):
            data = self._store.get(key_bytes(key))
            return Done(None if data is None else decoded_entry(data, self._rules))
        keys = [key_bytes(one) for one in key]
        if (limit := self._rules.max_keys) is not None and len(keys) > limit:
            raise StorageError(
                f"Maximum number of key value pairs is {limit}. {len(keys)} pairs were provided."
            )
        wanted = sorted(set(keys))
        found = ((one, self._store.get(one)) for one in wanted)
        there = ((key_text(one), decoded_entry(data, self._rules)) for one, data in found if data is not None)
        return Done(AttributeDict(there))

    def list(self, options: _Options = None, **more: Any) -> Done[_Dict]:
        """Keys and values, ordered by the keys' UTF-8 bytes.

        Args:
            options: ``start`` (inclusive), ``start_after``, ``end`` (both exclusive), ``prefix``,
                ``reverse``, ``limit`` (with ``reverse``, of the highest keys).

        Raises:
            TypeError: ``start`` and ``start_after`` together, or a limit that is not positive.
        """
        self._host.check_alive()
        listed = self._store.list(key_range(merged_options(options, more)))
        return Done(AttributeDict(decoded_entries(listed, self._rules)))

    # Writing

    def put(
        self, key: str | Mapping[str, Any], value: Any = UNDEFINED, options: _Options = None, **more: Any
    ) -> Done[None]:
        """Set one key, or every entry of a dict at once; ``UNDEFINED`` entries are skipped.

        Args:
            key: the key, or the entries; then ``value`` may be the options.
            options: ``allow_unconfirmed``: what the object sends need not wait for this write.

        Raises:
            TypeError: a value is of no kind that can be stored, with the path of the item.
            EntryTooLargeError: a key or value is over its limit. In either case nothing is written.
        """
        self._host.check_alive()
        if isinstance(key, (dict, Mapping)):  # the first is seen at once
            entries: Mapping[Any, Any] = key
            options = options if value is UNDEFINED else value
        elif value is UNDEFINED:
            raise TypeError("put() called with undefined value.")
        elif isinstance(key, (list, tuple, set, frozenset)):
            raise TypeError(
                f"put() takes a key and a value, or a dict of entries, not a {type(key).__name__}"
            )
        else:
            entries = {key: value}
        encoded = encoded_entries(entries, self._rules)
        if encoded:
            self._store.write(encoded, _is_confirmed(options, more))
        return DONE

    def defer(self, write: Callable[[], object], *, at_once: bool = False) -> None:
        """Have ``write``, which puts something here, called before anything else reads or writes here.

        At the latest that is when what this turn writes is committed, for which there is no hurry for some
        milliseconds unless anything waits for it. What the object sends from now on waits for it all the
        same, so this is for what changes many times and need be written but once. What turns that have ended
        deferred is written even if the object is reset. It must not raise.

        Args:
            at_once: it has become much: call it now, with all that was deferred before.
        """
        self._host.check_alive()
        self._store.defer(write, at_once)

    def in_one_turn(self, action: Callable[[], Awaitable[None]]) -> Awaitable[None]:
        """Run ``action`` while nothing else happens in the object, and commit all that it writes as one.

        Unlike a transaction it is not undone if it raises, and may take any time: this is for much work that
        is done in slices, between which other objects have their turn.
        """
        self._host.check_alive()
        return self._host.run_section(lambda: self._run_in_one_turn(action), seconds=None)

    async def _run_in_one_turn(self, action: Callable[[], Awaitable[None]]) -> None:
        self._store.hold()
        try:
            await action()
        finally:
            self._store.resume()

    def delete(self, key: str | Iterable[str], options: _Options = None, **more: Any) -> Done[Any]:
        """Delete a key and tell whether it was there; of several keys, how many were."""
        self._host.check_alive()
        single = isinstance(key, str) or not isinstance(key, Iterable)
        wanted = dict.fromkeys(map(key_bytes, [key] if single else key))
        there: dict[bytes, bytes | None] = {one: None for one in wanted if self._store.get(one) is not None}
        if there:
            self._store.write(there, _is_confirmed(options, more))
        return Done(bool(there) if single else len(there))

    def delete_all(self, options: _Options = None, **more: Any) -> Done[None]:
        """Delete everything; the alarm as well, unless the compatibility date is before 2026-02-24.

        Raises:
            StorageError: within a transaction.
        """
        self._host.check_alive()
        if self._transactions:
            raise StorageError("Cannot call deleteAll() within a transaction")
        self._store.clear(self._rules.delete_all_deletes_alarm)
        return DONE

    def sync(self) -> Awaitable[None]:
        """Wait until everything written so far is durable."""
        self._host.check_alive()
        done: Future[None] = get_running_loop().create_future()
        self._gate.hold_for_all(partial(_resolve, done))
        return done

    # Alarm

    def get_alarm(self, options: _Options = None, **more: Any) -> Done[int | None]:
        """When the alarm is set for, in milliseconds since 1970; ``None`` if it is not, or is running."""
        self._host.check_alive()
        alarm = self._store.get_alarm()
        return Done(None if alarm is None or alarm.serial == self.running_alarm else alarm.scheduled)

    def set_alarm(self, time: float | datetime, options: _Options = None, **more: Any) -> Done[None]:
        """Have ``alarm()`` called at ``time``, milliseconds since 1970 or a datetime; what is past means now.

        Raises:
            AlarmError: the time makes no sense, or the class has no ``alarm``.
        """
        self._host.check_alive()
        if not self._rules.has_alarm_handler and not self._host.constructing:
            raise AlarmError(
                "Your Durable Object class must have an alarm() handler in order to call setAlarm()"
            )
        due = max(alarm_ms(time), self._host.clock.now_ms())
        self._store.set_alarm(AlarmRow(due, due), _is_confirmed(options, more))
        return DONE

    def begin_alarm(self, serial: int) -> bool:
        """The handler of this alarm is about to run; ``False`` if another is set, or none, so it must not."""
        alarm = self._store.get_alarm()
        if alarm is None or alarm.serial != serial:
            return False
        self.running_alarm = serial
        return True

    def conclude_alarm(self, serial: int) -> None:
        """The handler of this alarm has succeeded: the alarm is over, unless another was set meanwhile."""
        alarm = self._store.get_alarm()
        if alarm is not None and alarm.serial == serial:
            self._store.set_alarm(None)

    def delete_alarm(self, options: _Options = None, **more: Any) -> Done[None]:
        """Make sure that no alarm is set."""
        self._host.check_alive()
        self._store.set_alarm(None, _is_confirmed(options, more))
        return DONE

    # Point-in-time recovery

    def get_current_bookmark(self) -> Done[str]:
        """The bookmark of what is stored now; later ones are greater. In a transaction: before that began."""
        self._host.check_alive()
        history = self._store.history()
        return Done(ZERO if history is None else history.pin(history.current()))

    def get_bookmark_for_time(self, time: float | datetime) -> Done[str]:
        """The bookmark of what was stored at ``time``, milliseconds since 1970 or a datetime.

        Raises:
            TypeError: the time is none.
            StorageError: no history is kept, or it does not go back so far, or the time is yet to come.
        """
        bookmarks = self._bookmarks()
        return Done(bookmarks.pin(bookmarks.at(time_ms(time))))

    def on_next_session_restore_bookmark(self, bookmark: str) -> Done[str]:
        """Have the next life of the object begin with what was stored at ``bookmark``; usually
        ``ctx.abort()`` comes next. Gives a bookmark of the moment before that, by which it can be undone.

        Raises:
            TypeError: the bookmark is no string.
            StorageError: no history is kept, or the bookmark is not of it, or not any more.
        """
        return Done(self._bookmarks().restore_next(bookmark))

    @property
    def _journal(self) -> NoJournal:
        return self._store.journal

    def _bookmarks(self) -> Bookmarks:
        self._host.check_alive()
        history = self._store.history()
        if history is None:
            raise StorageError(NO_HISTORY)
        return history

    # Transactions

    def transaction_sync(self, closure: Callable[[], T]) -> T:
        """Call ``closure``; if it raises, nothing of what it wrote remains. May be nested."""
        self._host.check_alive()
        savepoint = self._store.savepoint()
        self._transactions += 1
        failed = True
        try:
            result = closure()
            failed = False
        finally:
            self._transactions -= 1
            self._store.release(savepoint, rolled_back=failed)
        return result

    def transaction(self, closure: Callable[[Transaction], Any]) -> Awaitable[Any]:
        """Run ``closure(txn)`` while nothing else happens in the object; commit what it wrote as one.

        If it raises, or calls ``txn.rollback()``, nothing of that remains. May be nested.
        """
        self._host.check_alive()
        return self._host.run_section(lambda: self._run_transaction(closure))

    async def _run_transaction(self, closure: Callable[[Transaction], Any]) -> Any:
        self._store.hold()
        self._transactions += 1
        transaction = Transaction(self, self._store)
        try:
            result = closure(transaction)
            result = await result if isawaitable(result) else result
        except BaseException:
            transaction.rollback()
            raise
        finally:
            transaction.end()
            self._transactions -= 1
            self._store.resume()
        return result

    # Only with SQLite

    @property
    def sql(self) -> SqlStorage:
        """SQL, for classes whose storage is SQLite.

        Raises:
            StorageError: this class's is not.
        """
        if self._sql is None:
            raise StorageError(_NO_SQL)
        return self._sql

    @property
    def kv(self) -> SyncKv:
        """Keys and values without awaiting, for classes whose storage is SQLite.

        Raises:
            StorageError: this class's is not.
        """
        if self._kv is None:
            raise StorageError(_NO_SQL)
        return self._kv

    @property
    def is_strict(self) -> bool:
        """Whether values become, or are refused, as on Cloudflare."""
        return self._rules.is_strict


def _resolve(future: Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_NO_SQL: Final = (
    "SQL is not enabled for this Durable Object class. To enable it, change new_classes to "
    "new_sqlite_classes in the migrations of the configuration. An existing class can't be changed."
)


def _is_confirmed(options: _Options, more: _Dict) -> bool:
    if not options and not more:
        return True
    return not merged_options(options, more).get("allow_unconfirmed")
