"""How a persister follows its store: everything once, then the changes of each transaction.

Belongs to :class:`~durabase.persisters.base.Persister`, which owns the queue and the status. It also
keeps in mind what could not be saved at its time, and withholds saving after a load that failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durabase.errors import PersisterError
from durabase.persisters._status import Status
from durabase.persisters._steps import Steps, start_steps

if TYPE_CHECKING:
    from durabase.persisters.base import Persister

__all__ = ["AutoSave"]


class AutoSave:
    """The following of one persister's store, on or off.

    ``has_unsaved_edits``: something of the store is not in the place and no pending save will bring it there.
    """

    __slots__ = (
        "_edits_while_loading",
        "_generation",
        "_is_held",
        "_listener_id",
        "_persister",
        "_reported_error",
        "has_unsaved_edits",
    )

    def __init__(self, persister: Persister) -> None:
        self._persister = persister
        self._generation = 0
        self._is_held = False
        self._listener_id: str | None = None
        self._reported_error: Exception | None = None
        self._edits_while_loading: list[list[Any]] = []
        self.has_unsaved_edits = False

    def is_on(self) -> bool:
        """Whether transactions are being followed."""
        return self._listener_id is not None

    def start_steps(self) -> Steps[None]:
        """Save everything, then listen to transactions."""
        self._generation += 1
        generation = self._generation
        self._remove_listener()
        if not self._persister._is_destroyed():
            yield from self._save_steps(None)
        if generation == self._generation and not self._persister._is_destroyed():
            self._listener_id = self._persister._store.add_did_finish_transaction_listener(
                self._save_transaction
            )

    def stop_steps(self) -> Steps[None]:
        """Stop listening."""
        self._generation += 1
        self._remove_listener()
        yield None

    def hold(self) -> None:
        """Save nothing of what is done from now on before :meth:`let_go`."""
        self._is_held = True

    def let_go(self) -> None:
        """Save everything if anything was done since :meth:`hold`, and follow the store again."""
        self._is_held = False
        if self.is_on() and self.has_unsaved_edits:
            start_steps(self._save_steps(None))

    def can_save_at_once(self) -> bool:
        """Whether a save of changes would begin now, and be nothing but that, without anybody being told."""
        persister = self._persister
        return (
            not self.has_unsaved_edits
            and persister._load_error is None
            and persister._queue.is_idle()
            and persister._board.is_quiet()
        )

    def after_load_steps(self) -> Steps[None]:
        """Save what changed in the store beside what was loaded: by mutator listeners, or by local edits."""
        self._edits_while_loading.clear()
        if self.is_on() and not self._is_held:
            had_mutated = self._persister._had_mutated()
            if had_mutated or self.has_unsaved_edits:
                yield from self._save_steps(None)

    def note_unsaved_edits(self) -> None:
        """Remember that something could not be saved; synchronizers do not, their peers ask for it."""
        self.has_unsaved_edits = self._persister._keeps_unsaved_edits

    def take_edits_while_loading(self) -> list[list[Any]]:
        """The changes that were made since the load began, each once."""
        edits, self._edits_while_loading = self._edits_while_loading, []
        return edits

    def _remove_listener(self) -> None:
        listener_id, self._listener_id = self._listener_id, None
        if listener_id is not None:
            self._persister._store.del_listener(listener_id)

    def _save_transaction(self, _store: object) -> None:
        """Begin to save the transaction that is just finishing, in this call: a task would come too late."""
        if self._is_held:
            self.has_unsaved_edits = True
            return
        persister = self._persister
        is_loading = persister.get_status() is Status.LOADING
        if is_loading and not persister._keeps_unsaved_edits:
            return  # nobody would be told of what changed, which may be very much
        changes = persister._access.get_changes() if self.is_on() else None
        if changes is None or persister._adds_to_save(changes):
            return
        if not is_loading:
            start_steps(self._save_changes_steps(changes))
        elif not persister._is_applying:
            self.note_unsaved_edits()
            self._edits_while_loading.append(changes)

    def _save_changes_steps(self, changes: list[Any]) -> Steps[None]:
        """Save changes and, once that works again, everything, for something was left behind before."""
        had_unsaved_edits, self.has_unsaved_edits = self.has_unsaved_edits, False
        yield from self._save_steps(changes)
        if had_unsaved_edits and not self.has_unsaved_edits:
            self.has_unsaved_edits = True
            yield from self._save_steps(None)

    def _save_steps(self, changes: list[Any] | None) -> Steps[None]:
        load_error = self._persister._load_error
        if load_error is not None and self._persister._keeps_unsaved_edits:
            self.note_unsaved_edits()
            self._report_withholding(load_error)
        elif self._persister.get_status() is Status.LOADING:
            self.note_unsaved_edits()
        else:
            yield from self._persister._save_steps(changes)

    def _report_withholding(self, load_error: Exception) -> None:
        if self._reported_error is load_error:
            return
        self._reported_error = load_error
        error = PersisterError(
            f"automatic saving is withheld, for loading failed ({load_error}) and saving would overwrite "
            "what is stored; load again, or call save() to overwrite it"
        )
        error.__cause__ = load_error
        self._persister._report(error)
