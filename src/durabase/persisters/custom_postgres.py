"""A store in a PostgreSQL database that is reached through any driver, given as functions.

It follows the database by triggers that notify. What it saves itself is marked by notifications before and
after, in the same transaction, and is not taken for a change from outside; the original loads that again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, Unpack

from durabase._codec import unique_id
from durabase.errors import PersisterError
from durabase.persisters._database.commands import Execute
from durabase.persisters._database.config import Mode
from durabase.persisters._database.dialect import POSTGRES
from durabase.persisters._database.modes import layout_of
from durabase.persisters._database.persister import DatabaseOptions, DatabasePersister, mode_for
from durabase.persisters._database.triggers import Triggers
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import PersisterListener

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["AddNotificationListener", "CustomPostgresPersister", "DelNotificationListener"]

T = TypeVar("T")
NotificationListener: TypeAlias = Callable[[str | None], None]
AddNotificationListener: TypeAlias = Callable[[str, NotificationListener], object]
DelNotificationListener: TypeAlias = Callable[[Any], object]


class CustomPostgresPersister(DatabasePersister):
    """Keeps a store in a PostgreSQL database known through functions of yours, each plain or asynchronous.

    Args:
        store: what is persisted; in tabular mode it must be a plain store.
        config: :class:`JsonMode`, :class:`TabularMode`, or a table name for the former, the default for None.
        execute_command: ``execute_command(sql, params)`` runs a statement, with ``$1``, ``$2``… for
            ``params``, which may be ``None``, and returns the rows of the result as mappings from column name
            to value. ``BEGIN``, ``END`` and ``ROLLBACK`` are run like this, too, so all must run in one
            connection, which begins no transactions by itself.
        add_change_listener: is given a channel and ``listener(payload)``, listens to the channel, in any
            connection, and returns a handle. ``listener(None)`` says that notifications may have been missed.
            Without this function the database can't be followed.
        del_change_listener: is given that handle when following ends.
        on_sql_command: is called with each statement before it is run.
        on_ignored_error: is called with each error that is not raised.
        destroy: is called last when the persister is destroyed.
        persists: the kinds of store to take.
        queue: to be shared by all persisters of one connection.

    Raises:
        StoreTypeError: ``store`` is not of a kind to take, or is mergeable and the mode tabular.
    """

    def __init__(
        self,
        store: Store,
        config: Mode | str | None,
        execute_command: Execute,
        add_change_listener: AddNotificationListener | None = None,
        del_change_listener: DelNotificationListener | None = None,
        **options: Unpack[DatabaseOptions],
    ) -> None:
        mode = mode_for(store, config)
        super().__init__(
            store,
            execute_command,
            lambda execute: layout_of(mode, execute, POSTGRES, self._marked_steps),
            **options,
        )
        self._triggers = Triggers(self._execute, mode)
        self._add_change_listener = add_change_listener
        self._del_change_listener = del_change_listener
        self._following: _Following | None = None

    def add_persister_listener(self, listener: PersisterListener) -> object:
        """Install triggers and listen to what they notify."""
        if self._add_change_listener is None:
            return None
        return start_steps(self._follow_steps(listener, self._add_change_listener))

    def del_persister_listener(self, handle: _Following | None) -> object:
        """Stop listening and remove the triggers, if nobody else needs them."""
        return None if handle is None else start_steps(self._unfollow_steps(handle))

    def _follow_steps(self, listener: PersisterListener, add: AddNotificationListener) -> Steps[_Following]:
        following = _Following(self, self._triggers, listener)
        try:
            yield from self._install_steps()
            following.handle = yield add(self._triggers.channel, following.hear)
        except Exception:
            yield from self._guarded_steps(lambda: start_steps(self._remove_steps()))
            raise
        self._following = following
        return following

    def _unfollow_steps(self, following: _Following) -> Steps[None]:
        following.is_stopped = True
        if self._following is following:
            self._following = None
        try:
            if self._del_change_listener is not None:
                yield self._del_change_listener(following.handle)
        finally:
            yield from self._remove_steps()

    def _install_steps(self, is_restoring: bool = False) -> Steps[None]:
        missing = yield from self._queued_steps(lambda: self._triggers.install_steps(is_restoring))
        if missing is not None:
            error = PersisterError(f"tables that are made or dropped from now on are not followed: {missing}")
            error.__cause__ = missing
            self._report(error)

    def _remove_steps(self) -> Steps[None]:
        yield from self._queued_steps(self._triggers.remove_steps)

    def _queued_steps(self, work: Callable[[], Steps[T]]) -> Steps[T]:
        """Do ``work`` when its turn comes, for it must not get into somebody's transaction."""
        outcome: Completion[T] = Completion()

        def action() -> Steps[None]:
            try:
                outcome.set_result((yield from work()))
            except Exception as error:
                outcome.set_exception(error)

        yield from self._enqueue_steps(action)
        return outcome.result()

    def _marked_steps(self, saving: Steps[None]) -> Steps[None]:
        """Save between two marks, by which the following knows whose notifications these are."""
        if self._following is None:
            yield from saving
        else:
            begin, end = self._following.marks
            yield self._notify(begin)
            yield from saving
            yield self._notify(end)

    def _notify(self, payload: str) -> object:
        return self._execute("SELECT pg_notify($1,$2)", [self._triggers.channel, payload])

    def _catch_up_steps(self, load: Callable[[], None]) -> Steps[None]:
        """Having been cut off: restore the triggers, then bring both sides together.

        What a plain store could not save wins, as it would with the next edit; what a mergeable store could
        not save is merged. While the database is still out of reach nothing is tried: it will be heard of.
        """
        try:
            yield from self._install_steps(is_restoring=True)
        except Exception as error:
            self._report(error)
            return
        if self._has_priority():
            yield from self._save_steps(None)
        else:
            load()

    def _has_priority(self) -> bool:
        """Whether the store has edits that loading would drop, and nothing speaks against saving them."""
        return (
            self._auto_save.is_on()
            and self._auto_save.has_unsaved_edits
            and self._load_error is None
            and not self._access.is_mergeable
        )


class _Following:
    """What one listener hears of the database, and when it loads because of that.

    ``marks``: the payloads at the begin and the end of what is saved by the persister itself.
    """

    __slots__ = (
        "_is_load_due",
        "_is_loading",
        "_is_own",
        "_listener",
        "_persister",
        "_triggers",
        "handle",
        "is_stopped",
        "marks",
    )

    def __init__(
        self, persister: CustomPostgresPersister, triggers: Triggers, listener: PersisterListener
    ) -> None:
        self._persister = persister
        self._triggers = triggers
        self._listener = listener
        self._is_own = False
        self._is_loading = False
        self._is_load_due = False
        id_ = unique_id()
        self.marks = (f"b:{id_}", f"e:{id_}")
        self.handle: Any = None
        self.is_stopped = False

    def hear(self, payload: str | None) -> None:
        """A notification; ``None`` if some may have been missed."""
        if self.is_stopped:
            return
        if payload is None:
            self._is_own = False
            start_steps(self._persister._catch_up_steps(self._load))
        elif payload in self.marks:
            self._is_own = payload == self.marks[0]
        else:
            self._hear_of_table(*payload.partition(":")[::2])

    def _hear_of_table(self, kind: str, table_name: str) -> None:
        if kind not in ("c", "d") or not self._triggers.is_managed(table_name):
            return
        if kind == "c":
            self._persister.schedule(lambda: start_steps(self._triggers.watch_steps(table_name)))
        if not self._is_own:
            self._load()

    def _load(self) -> None:
        """Load; while that is going on, however much is heard, once more will do."""
        self._is_load_due = True
        if not self._is_loading:
            start_steps(self._load_steps())

    def _load_steps(self) -> Steps[None]:
        self._is_loading = True
        try:
            while self._is_load_due:
                self._is_load_due = False
                yield self._listener()
        finally:
            self._is_loading = False
