"""Tables as data frames of polars, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durabase.errors import ContentError
from durabase.frames._columns import Kind, columns_of, kind_of
from durabase.frames._merging import ids_from, merge_columns
from durabase.store import Store
from durabase.types import UNDEFINED, Id

if TYPE_CHECKING:
    import polars

__all__ = ["from_polars", "to_polars"]


def to_polars(store: Store, table_id: Id, *, id_column: str = "id") -> polars.DataFrame:
    """A table as a frame of its own: first a column with the row ids, then one for each cell id.

    Columns are of type ``Boolean``, ``Int64``, ``Float64`` (also for whole numbers among others), ``String``;
    with objects, arrays, things of several kinds, or text that is no Unicode ``Object``. Cells that are null
    or not there are null.

    Args:
        store: where the table is.
        table_id: which it is.
        id_column: the name of the first column.

    Raises:
        ContentError: the table has cells of that name, or such whose ids have lone surrogates.
        ImportError: polars is not installed.
    """
    pl = _polars()
    row_ids, columns = columns_of(store, table_id)
    if id_column in columns:
        raise ContentError(
            f"the table {table_id!r} has cells {id_column!r}: name the column of row ids with id_column="
        )
    unnameable = [cell_id for cell_id in columns if not _is_unicode(cell_id)]
    if unnameable:
        raise ContentError(f"a column of polars can't be named {unnameable[0]!r}, which is no Unicode")
    series = {id_column: _series(pl, row_ids, Kind.TEXT)}
    series |= {cell_id: _series(pl, things, kind_of(things)) for cell_id, things in columns.items()}
    return pl.DataFrame(series)  # type: ignore[no-any-return]


def from_polars(
    store: Store,
    table_id: Id,
    frame: polars.DataFrame,
    *,
    id_column: str = "id",
    partial: bool = False,
    nulls: bool = False,
) -> Store:
    """Have a table hold what a frame holds, in one transaction that writes only what differs.

    Missing values (null, ``NaN``) are cells that are not there; a cell that is null stays. Rows of which
    everything is missing are none, for a row has at least one cell.

    Args:
        store: where the table is.
        table_id: which it is.
        frame: a column has the row ids, the others are named by cell ids; whole numbers become text.
        id_column: the name of the column with row ids.
        partial: rows and cells that the frame does not have stay; else they are deleted.
        nulls: missing values become null.

    Returns:
        The store.

    Raises:
        ContentError: there is no such column, ids are no text or there twice, or a value can't be kept in a
            cell (infinity, dates, bytes). Nothing is written then.
    """
    if id_column not in frame.columns:
        raise ContentError(f"a column {id_column!r} with row ids is needed; there are {frame.columns!r:.200}")
    row_ids = ids_from(frame[id_column].to_list(), f"row ids (the column {id_column!r})")
    columns = {
        cell_id: [_thing(value) for value in frame[cell_id].to_list()]
        for cell_id in frame.columns
        if cell_id != id_column
    }
    merge_columns(store, table_id, row_ids, columns, partial=partial, nulls=nulls)
    return store


def _polars() -> Any:
    try:
        import polars
    except ImportError as error:
        raise ImportError("polars is needed: `pip install 'durabase[polars]'`") from error
    return polars


def _series(pl: Any, things: list[Any], kind: Kind) -> Any:
    dtypes = {Kind.BOOLEAN: pl.Boolean, Kind.INTEGER: pl.Int64, Kind.NUMBER: pl.Float64, Kind.TEXT: pl.String}
    dtype = dtypes.get(kind, pl.Object)
    if kind is Kind.TEXT and not all(map(_is_unicode, things)):
        dtype = pl.Object
    if kind is Kind.NUMBER:
        things = [None if thing is None else float(thing) for thing in things]
    return pl.Series(values=things, dtype=dtype)


def _is_unicode(text: str | None) -> bool:
    """Whether there is no lone surrogate in a text, such as JavaScript's may have."""
    try:
        return text is None or text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _thing(value: Any) -> Any:
    """What a cell gets for a value of a frame; UNDEFINED if it is missing."""
    is_missing = value is None or (isinstance(value, float) and value != value)
    return UNDEFINED if is_missing else value
