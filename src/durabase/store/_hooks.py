"""What a store tells a store that is built upon it."""

from __future__ import annotations

from durabase._compiling import mypyc_attr
from durabase.store._cells import EncodedOrUndefined

__all__ = ["StoreHooks"]


@mypyc_attr(allow_interpreted_subclasses=True)
class StoreHooks:
    """Called by a store synchronously. An exception of ``cell_changed`` or ``value_changed`` undoes all.

    A base class whose methods do nothing.
    """

    def pre_start(self) -> None:
        """An outermost transaction starts; its StartTransaction listeners have not been called."""

    def pre_finish(self, rolled_back: bool) -> None:
        """It is about to finish: mutators and ``do_rollback`` are done, WillFinishTransaction listeners not.

        Not called when an exception had undone it before. Called a second time, with True, when a
        listener's exception undid it afterwards.
        """

    def post_finish(self, rolled_back: bool) -> None:
        """It has finished, but its changes can still be read. Called exactly once for each ``pre_start``.

        When it was rolled back this comes before the DidFinishTransaction listeners, else after them.
        """

    def cell_changed(
        self,
        table_id: str,
        row_id: str,
        cell_id: str,
        new: EncodedOrUndefined,
        mutating: bool,
        defaulted: bool,
    ) -> None:
        """A cell is about to become ``new``; UNDEFINED if it is deleted.

        ``mutating``: in a mutator listener. ``defaulted``: a schema's default fills an absent cell.
        Also called for each cell that a rollback sets back.
        """

    def value_changed(self, value_id: str, new: EncodedOrUndefined, mutating: bool, defaulted: bool) -> None:
        """A value is about to become ``new``; see ``cell_changed``."""
