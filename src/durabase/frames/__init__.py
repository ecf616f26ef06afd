"""Tables of a store as data frames of pandas and polars, and back.

A row is a row, a cell is a value in the column of its id. What is not there and what is null are both
missing in a frame. Back into a store goes what differs, as one transaction. Nothing is imported before it
is needed: ``pip install 'durabase[pandas]'`` or ``'durabase[polars]'``.
"""

from durabase.frames.pandas import from_pandas, to_pandas
from durabase.frames.polars import from_polars, to_polars

__all__ = ["from_pandas", "from_polars", "to_pandas", "to_polars"]
