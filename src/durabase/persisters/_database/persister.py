"""A persister over any SQLite-like database that is given as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from durabase.clock import SystemClock, TimerClock, TimerHandle
from durabase.persisters._database.commands import Execute
from durabase.persisters._database.modes import Layout
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import IgnoredErrorHandler, Persister, PersisterListener, Persists

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["SqlCommandCallback", "SqlPersister"]

SqlCommandCallback: TypeAlias = Callable[[str, Sequence[Any] | None], object]
"""``callback(sql, params)``: a statement is about to be run; ``None`` for no parameters."""

_VERSIONS_SQL = (
    "SELECT data_version d,schema_version s,TOTAL_CHANGES() c "
    "FROM pragma_data_version JOIN pragma_schema_version"
)


class SqlPersister(Persister):
    """Keeps a store in a database of SQLite's kind, in some layout.

    While loading automatically the database is asked, at an interval, whether anything in it has changed but
    for what this persister wrote itself.
    """

    def __init__(
        self,
        store: Store,
        execute: Execute,
        make_layout: Callable[[Execute], Layout],
        *,
        auto_load_interval: float | None,
        persists: Persists,
        on_sql_command: SqlCommandCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        super().__init__(store, persists=persists, on_ignored_error=on_ignored_error)

        def execute_command(sql: str, params: Sequence[Any] | None) -> object:
            if on_sql_command is not None:
                on_sql_command(sql, params)
            return execute(sql, params)

        self._execute = execute_command
        self._layout = make_layout(execute_command)
        self._interval = auto_load_interval
        self._clock = SystemClock() if clock is None else clock
        self._watch: _Watch | None = None

    def get_persisted(self) -> Completion[Any]:
        """Load by the layout, in a transaction."""
        return start_steps(self._layout.load_steps())

    def set_persisted(
        self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None
    ) -> Completion[None]:
        """Save by the layout, in a transaction."""
        saving = self._layout.save_steps(get_content, changes)
        return start_steps(saving if self._watch is None else self._watch.aware_steps(saving))

    def add_persister_listener(self, listener: PersisterListener) -> object:
        """Begin to ask for changes."""
        return None if self._interval is None else start_steps(self._watch_steps(listener, self._interval))

    def del_persister_listener(self, handle: _Watch | None) -> None:
        """Stop asking."""
        if handle is not None:
            handle.stop()
        if self._watch is handle:
            self._watch = None

    def _watch_steps(self, listener: PersisterListener, interval: float) -> Steps[_Watch]:
        watch = _Watch(self, listener, interval)
        yield from watch.begin_steps()
        self._watch = watch
        return watch


class _Watch:
    """Asks a database for its versions, again and again."""

    __slots__ = ("_interval", "_listener", "_persister", "_timer", "_versions")

    def __init__(self, persister: SqlPersister, listener: PersisterListener, interval: float) -> None:
        self._persister = persister
        self._interval = interval
        self._listener = listener
        self._timer: TimerHandle | None = None
        self._versions: Any = None

    def begin_steps(self) -> Steps[None]:
        """Note what there is, and set the timer."""
        self._versions = yield from self._ask_steps()
        self._set_timer()

    def aware_steps(self, saving: Steps[None]) -> Steps[None]:
        """Save without taking that for a change from outside, unless there was one before."""
        is_settled = (yield from self._ask_steps()) == self._versions
        yield from saving
        if is_settled:
            self._versions = yield from self._ask_steps()

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

    def _look_steps(self) -> Steps[None]:
        versions = yield from self._ask_steps()
        if self._timer is not None and versions != self._versions:
            self._versions = versions
            self._listener()

    def _ask_steps(self) -> Steps[Any]:
        rows: Any = yield self._persister._execute(_VERSIONS_SQL, None)
        return [dict(row) for row in rows]
