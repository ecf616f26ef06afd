"""A persister over any SQLite-like database: it follows by asking whether anything has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from durabase.clock import SystemClock, TimerClock, TimerHandle
from durabase.persisters._database.commands import Execute
from durabase.persisters._database.modes import Layout
from durabase.persisters._database.persister import DatabaseOptions, DatabasePersister
from durabase.persisters._steps import Steps, start_steps
from durabase.persisters.base import PersisterListener

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["AddTableListener", "DelTableListener", "PollingPersister"]

AddTableListener: TypeAlias = Callable[[Callable[[str], object]], object]
"""``add(listener)``: from now on ``listener(table_name)`` is to be called when a table changes; a handle."""
DelTableListener: TypeAlias = Callable[[Any], object]
"""``delete(handle)``: the listener is not to be called any more."""

_VERSIONS_SQL = (
    "SELECT data_version d,schema_version s,TOTAL_CHANGES() c "
    "FROM pragma_data_version JOIN pragma_schema_version"
)


class PollingPersister(DatabasePersister):
    """Keeps a store in a database of SQLite's kind, in some layout.

    While loading automatically the database is asked, at an interval, whether anything in it has changed but
    for what this persister wrote itself. A driver that tells of changed tables makes it load at once.
    """

    def __init__(
        self,
        store: Store,
        execute: Execute,
        make_layout: Callable[[Execute], Layout],
        *,
        auto_load_interval: float | None,
        managed_tables: frozenset[str] = frozenset(),
        add_change_listener: AddTableListener | None = None,
        del_change_listener: DelTableListener | None = None,
        clock: TimerClock | None = None,
        **options: Unpack[DatabaseOptions],
    ) -> None:
        super().__init__(store, execute, make_layout, **options)
        self._interval = auto_load_interval
        self._managed_tables = managed_tables
        self._add_change_listener = add_change_listener
        self._del_change_listener = del_change_listener
        self._clock = SystemClock() if clock is None else clock
        self._watch: _Watch | None = None

    def add_persister_listener(self, listener: PersisterListener) -> object:
        """Begin to ask for changes, and to hear of them."""
        return None if self._interval is None else start_steps(self._watch_steps(listener, self._interval))

    def del_persister_listener(self, handle: _Watch | None) -> object:
        """Stop asking and hearing."""
        if handle is None:
            return None
        handle.stop()
        if self._watch is handle:
            self._watch = None
        return None if self._del_change_listener is None else self._del_change_listener(handle.native_handle)

    def _aware_steps(self, saving: Steps[None]) -> Steps[None]:
        return saving if self._watch is None else self._watch.aware_steps(saving)

    def _watch_steps(self, listener: PersisterListener, interval: float) -> Steps[_Watch]:
        watch = _Watch(self, listener, interval)
        if self._add_change_listener is not None:
            watch.native_handle = yield self._add_change_listener(watch.hear)
        yield from watch.begin_steps()
        self._watch = watch
        return watch


class _Watch:
    """Asks a database for its versions, again and again, and hears what its driver tells."""

    __slots__ = ("_interval", "_is_saving", "_listener", "_persister", "_timer", "_versions", "native_handle")

    def __init__(self, persister: PollingPersister, listener: PersisterListener, interval: float) -> None:
        self._persister = persister
        self._interval = interval
        self._listener = listener
        self._timer: TimerHandle | None = None
        self._versions: Any = None
        self._is_saving = False
        self.native_handle: Any = None

    def begin_steps(self) -> Steps[None]:
        """Note what there is, and set the timer."""
        self._versions = yield from self._ask_steps()
        self._set_timer()

    def aware_steps(self, saving: Steps[None]) -> Steps[None]:
        """Save without taking that for a change from outside, unless there was one before."""
        is_settled = (yield from self._ask_steps()) == self._versions
        self._is_saving = True
        try:
            yield from saving
        finally:
            self._is_saving = False
        if is_settled:
            self._versions = yield from self._ask_steps()

    def hear(self, table_name: str) -> None:
        """A table has changed: load, if it is one of ours and it was somebody else."""
        if self._timer is not None and not self._is_saving and table_name in self._persister._managed_tables:
            self._persister.schedule(lambda: start_steps(self._look_steps(is_known=True)))

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self._timer = self._persister._clock.call_later(self._interval, self._ring)

    def _ring(self) -> None:
        self._set_timer()
        self._persister.schedule(lambda: start_steps(self._look_steps()))

    def _look_steps(self, is_known: bool = False) -> Steps[None]:
        versions = yield from self._ask_steps()
        if self._timer is not None and (is_known or versions != self._versions):
            self._versions = versions
            self._listener()

    def _ask_steps(self) -> Steps[Any]:
        rows: Any = yield self._persister._execute(_VERSIONS_SQL, None)
        return [dict(row) for row in rows]
