"""Setting a cell, the write that there is most of: compiled, below stores, which are not."""

from __future__ import annotations

from typing import Any, Final, Self

from durabase._codec import js_string
from durabase._compiling import mypyc_attr
from durabase.store._transaction import Transaction

__all__ = ["SCALARS", "CellSetter"]

SCALARS: Final = frozenset((str, int, float, bool, type(None)))
"""The types of most things, none of which can be called."""


@mypyc_attr(allow_interpreted_subclasses=True)
class CellSetter:
    """What sets cells in a transaction."""

    _transaction: Transaction

    def set_cell(self, table_id: Any, row_id: Any, cell_id: Any, cell: Any) -> Self:
        """Set a cell, or what a function makes of the present one, which is UNDEFINED if absent."""
        if type(table_id) is not str:
            table_id = js_string(table_id)
        if type(row_id) is not str:
            row_id = js_string(row_id)
        if type(cell_id) is not str:
            cell_id = js_string(cell_id)
        if type(cell) is not int and type(cell) not in SCALARS and callable(cell):
            self._map_cell(table_id, row_id, cell_id, cell)
        else:
            self._transaction.set_cell(table_id, row_id, cell_id, cell)
        return self

    def _map_cell(self, table_id: str, row_id: str, cell_id: str, cell: Any) -> None:
        """Set what the function ``cell`` makes of a cell."""
        raise NotImplementedError
