"""Transactions: nesting, rollback, and what happens when at their end.

At the outermost finish: mutators, ``do_rollback``, hooks, WillFinishTransaction listeners; from then
on nothing can be written; the other listeners, DidFinishTransaction listeners, hooks. An exception
in the body or before that point undoes everything. The order is TinyBase 10.0.1's, and as there an
exception inside a nested transaction dooms the outermost one even if it is caught in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from durabase.store._changes import ChangeLog
from durabase.store._content import Content
from durabase.store._edits import Edits
from durabase.store._kinds import StoreListeners
from durabase.store._notify import Notifier
from durabase.types import Id

__all__ = ["DoRollback", "Transaction"]

DoRollback: TypeAlias = Callable[[Any], object]
"""Called with the store; the transaction is undone if it returns something true."""

_CLOSED: Final = -1


class Transaction:
    """The transaction of a store: begun again and again, at most one at a time.

    ``depth`` is how many are nested, 0 outside, -1 in the final phase in which nothing can begin.
    """

    __slots__ = (
        "_content",
        "_did_finish_is_due",
        "_doomed",
        "_edits",
        "_listeners",
        "_log",
        "_notifier",
        "_post_finished",
        "_rolled_back",
        "depth",
    )

    def __init__(
        self,
        content: Content,
        edits: Edits,
        log: ChangeLog,
        listeners: StoreListeners,
        notifier: Notifier,
    ) -> None:
        self._content = content
        self._edits = edits
        self._log = log
        self._listeners = listeners
        self._notifier = notifier
        self.depth = 0
        self._doomed = False
        self._reset_progress()

    # -- nesting

    def begin(self) -> bool:
        """Begin a transaction, or one nested in it; False in the final phase, when nothing must be written.

        An exception of a StartTransaction listener ends the transaction and passes on.
        """
        depth = self.depth
        if depth == _CLOSED:
            return False
        self.depth = depth + 1
        if depth == 0:
            try:
                if self._log.hooks is not None:
                    self._log.hooks.pre_start()
                if self._listeners.count:
                    self._listeners.call(self._listeners.start, ())
            except BaseException as error:
                self.abort(error)
                raise
        return True

    def finish(self, do_rollback: DoRollback | None = None) -> None:
        """Finish what was begun last; if that is the outermost all happens, else ``do_rollback`` is ignored.

        Nothing happens if nothing was begun.
        """
        if self.depth > 1:
            self.depth -= 1
        elif self.depth == 1:
            self._finish_outermost(do_rollback)

    def abort(self, error: BaseException) -> None:
        """Finish what was begun last because of an exception; all since the outermost start is undone."""
        if self.depth > 0:
            self._doomed = True
            try:
                self.finish()
            except Exception as another:
                error.add_note(f"undoing the transaction failed too: {another!r}")

    def is_mutating(self) -> bool:
        """Whether mutator listeners are being called, whose writes are edits whatever they carry out."""
        return self._log.mutating

    # -- the usual write

    def set_cell(self, table_id: Id, row_id: Id, cell_id: Id, cell: object) -> None:
        """Set a cell between ``begin`` and ``finish``."""
        if self.begin():
            try:
                self._edits.set_cell(table_id, row_id, cell_id, cell)
            except BaseException as error:
                self.abort(error)
                raise
            self.finish()

    # -- the outermost finish

    def _finish_outermost(self, do_rollback: DoRollback | None) -> None:
        try:
            if self._doomed:
                self._roll_back()
            else:
                self._conclude(do_rollback)
        finally:
            try:
                if not self._post_finished and self._log.hooks is not None:
                    self._log.hooks.post_finish(self._rolled_back)
            finally:
                self._reset()

    def _conclude(self, do_rollback: DoRollback | None) -> None:
        """All steps of a transaction that has not failed; the first exception is raised at the end."""
        failure: Exception | None = None
        try:
            self._commit(do_rollback)
            if self._listeners.count:
                self._notifier.call_others()
        except Exception as error:
            failure = error
        if self._did_finish_is_due:
            if self._rolled_back:
                failure = _first(failure, self._tell_hooks_of_rollback)
            self.depth = _CLOSED
            if self._listeners.did_finish.count:
                failure = _first(failure, self._call_did_finish)
        if failure is not None:
            raise failure

    def _commit(self, do_rollback: DoRollback | None) -> None:
        """Everything up to the point from which nothing can be written; an exception undoes all."""
        listeners = self._listeners
        try:
            if listeners.count:
                self._call_mutators()
            if do_rollback is not None and do_rollback(listeners.subject):
                self._roll_back()
            if self._log.hooks is not None:
                self._log.hooks.pre_finish(self._rolled_back)
            self._did_finish_is_due = True
            if listeners.will_finish.count:
                listeners.call_all(listeners.will_finish)
        except BaseException:
            self._roll_back()
            raise
        self.depth = _CLOSED

    def _call_mutators(self) -> None:
        self._log.mutating = True
        try:
            self._notifier.call_mutators()
        finally:
            self._log.mutating = False

    def _call_did_finish(self) -> None:
        self._listeners.call_all(self._listeners.did_finish)

    def _tell_hooks_of_rollback(self) -> None:
        hooks = self._log.hooks
        if hooks is None:
            return
        if self.depth != _CLOSED:
            hooks.pre_finish(True)
        self._post_finished = True
        hooks.post_finish(True)
        self._log.forget_touched()

    def _roll_back(self) -> None:
        self._rolled_back = True
        self._edits.undo()

    def _reset(self) -> None:
        self.depth = 0
        self._doomed = False
        self._reset_progress()
        self._edits.forget_schemas()
        self._notifier.had_tables = bool(self._content.tables)
        self._notifier.had_values = bool(self._content.values)
        self._log.clear()

    def _reset_progress(self) -> None:
        self._rolled_back = False
        self._did_finish_is_due = False
        self._post_finished = False


def _first(failure: Exception | None, action: Callable[[], None]) -> Exception | None:
    """Do something in any case; the exception to raise in the end, which is the first."""
    try:
        action()
    except Exception as error:
        if failure is None:
            return error
        failure.add_note(f"afterwards another one was raised: {error!r}")
    return failure
