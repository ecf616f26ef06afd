"""A persister over any SQL database that is given as a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from durabase.errors import StoreTypeError
from durabase.persisters._database.commands import Execute
from durabase.persisters._database.config import Mode, TabularMode, mode_of
from durabase.persisters._database.modes import Layout
from durabase.persisters._queue import ActionQueue
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import IgnoredErrorHandler, Persister, Persists

if TYPE_CHECKING:
    from durabase.store import Store

__all__ = ["DatabaseOptions", "DatabasePersister", "SqlCommandCallback", "mode_for"]

SqlCommandCallback: TypeAlias = Callable[[str, Sequence[Any] | None], object]
"""``callback(sql, params)``: a statement is about to be run; ``None`` for no parameters."""


class DatabaseOptions(TypedDict, total=False):
    """What every persister over a database may be given by name."""

    on_sql_command: SqlCommandCallback | None
    on_ignored_error: IgnoredErrorHandler | None
    destroy: Callable[[], object] | None
    persists: Persists
    queue: ActionQueue | None


class DatabasePersister(Persister):
    """Keeps a store in a database, in some layout. How it follows the database is for subclasses to say.

    The options are those of :class:`DatabaseOptions`. ``destroy`` is called last when the persister is
    destroyed.
    """

    def __init__(
        self,
        store: Store,
        execute: Execute,
        make_layout: Callable[[Execute], Layout],
        *,
        persists: Persists = Persists.STORE_OR_MERGEABLE_STORE,
        on_sql_command: SqlCommandCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        destroy: Callable[[], object] | None = None,
        queue: ActionQueue | None = None,
    ) -> None:
        super().__init__(store, persists=persists, on_ignored_error=on_ignored_error, queue=queue)

        def execute_command(sql: str, params: Sequence[Any] | None) -> object:
            if on_sql_command is not None:
                on_sql_command(sql, params)
            return execute(sql, params)

        self._execute = execute_command
        self._layout = make_layout(execute_command)
        self._destroy_database = destroy

    def get_persisted(self) -> Completion[Any]:
        """Load by the layout, in a transaction."""
        return start_steps(self._layout.load_steps())

    def set_persisted(
        self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None
    ) -> Completion[None]:
        """Save by the layout, in a transaction."""
        return start_steps(self._aware_steps(self._layout.save_steps(get_content, changes)))

    def _aware_steps(self, saving: Steps[None]) -> Steps[None]:
        """Save in such a way that following does not take it for a change from outside."""
        return saving

    def _release(self) -> object:
        return None if self._destroy_database is None else self._destroy_database()


def mode_for(store: Store, config: Mode | str | None) -> Mode:
    """The configuration, if a store can be laid out like this.

    Raises:
        StoreTypeError: the mode is tabular and the store is mergeable.
    """
    mode = mode_of(config)
    if isinstance(mode, TabularMode) and store.is_mergeable():
        raise StoreTypeError("tables of their own keep a Store, not a MergeableStore; JSON mode keeps either")
    return mode
