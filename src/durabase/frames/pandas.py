"""Tables as data frames of pandas, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durabase.frames._columns import Kind, columns_of, kind_of
from durabase.frames._merging import ids_from, merge_columns
from durabase.store import Store
from durabase.types import UNDEFINED, Id

if TYPE_CHECKING:
    import pandas

__all__ = ["from_pandas", "to_pandas"]

_DTYPES = {
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "Int64",
    Kind.NUMBER: "Float64",
    Kind.TEXT: "string[python]",
    Kind.ANYTHING: "object",
}


def to_pandas(store: Store, table_id: Id) -> pandas.DataFrame:
    """A table as a frame of its own: row ids as the index, a column for each cell id.

    Columns have types that know missing values: ``boolean``, ``Int64``, ``Float64`` (also for whole numbers
    among others), ``string``; with objects, arrays, or things of several kinds ``object``. Cells that are
    null or not there are ``pandas.NA``.

    Raises:
        ImportError: pandas is not installed.
    """
    pd = _pandas()
    row_ids, columns = columns_of(store, table_id)
    index = pd.Index(row_ids, dtype="object", name="id")
    series = [_series(pd, things, index) for things in columns.values()]
    frame = pd.DataFrame(dict(enumerate(series)), index=index)
    frame.columns = pd.Index(list(columns), dtype="object")
    return frame


def from_pandas(
    store: Store, table_id: Id, frame: pandas.DataFrame, *, partial: bool = False, nulls: bool = False
) -> Store:
    """Have a table hold what a frame holds, in one transaction that writes only what differs.

    Missing values (``NA``, ``NaN``, ``None``, ``NaT``) are cells that are not there; a cell that is null
    stays. Rows of which everything is missing are none, for a row has at least one cell.

    Args:
        store: where the table is.
        table_id: which it is.
        frame: its index has the row ids, its columns are named by cell ids; whole numbers become text.
        partial: rows and cells that the frame does not have stay; else they are deleted.
        nulls: missing values become null.

    Returns:
        The store.

    Raises:
        ContentError: ids are no text or there twice, or a value can't be kept in a cell (infinity, dates,
            bytes). Nothing is written then.
        ImportError: pandas is not installed.
    """
    pd = _pandas()
    row_ids = ids_from(frame.index, "row ids (the index)")
    cell_ids = ids_from(frame.columns, "cell ids (the columns)")
    columns = {
        cell_id: [_thing(pd, value) for value in frame.iloc[:, number].astype("object")]
        for number, cell_id in enumerate(cell_ids)
    }
    merge_columns(store, table_id, row_ids, columns, partial=partial, nulls=nulls)
    return store


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError("pandas is needed: `pip install 'durabase[pandas]'`") from error
    return pandas


def _series(pd: Any, things: list[Any], index: Any) -> Any:
    values = [pd.NA if thing is None else thing for thing in things]
    return pd.Series(values, index=index, dtype=_DTYPES[kind_of(things)])


def _thing(pd: Any, value: Any) -> Any:
    """What a cell gets for a value of a frame; UNDEFINED if it is missing."""
    if isinstance(value, str | bool | int | dict | list):
        return value
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    is_missing = value is None or (pd.api.types.is_scalar(value) and pd.isna(value))
    return UNDEFINED if is_missing else value
