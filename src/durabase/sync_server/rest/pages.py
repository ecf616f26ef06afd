"""The rows of a table page by page, in the order of ``get_sorted_row_ids``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from durabase.mergeable import MergeableStore
from durabase.sync_server.rest.problems import ProblemError
from durabase.types import Id

__all__ = ["DEFAULT_LIMIT", "MAX_LIMIT", "Page", "page_of"]

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
_TRUTH: Final = {"true": True, "false": False}


class Page(NamedTuple):
    """Which rows: sorted by a cell, or if there is none by their ids."""

    sort_by: Id | None = None
    descending: bool = False
    offset: int = 0
    limit: int = DEFAULT_LIMIT

    def read(self, store: MergeableStore, table_id: Id) -> dict[str, Any]:
        """The ids in order, their rows, and how many rows the table has."""
        row_ids = store.get_sorted_row_ids(table_id, self.sort_by, self.descending, self.offset, self.limit)
        return {
            "rowIds": row_ids,
            "rows": {row_id: store.get_row(table_id, row_id) for row_id in row_ids},
            "rowCount": store.get_row_count(table_id),
        }

    def next_link(self, row_count: int) -> str | None:
        """The ``Link`` header that leads to the next page, relative to this one; ``None`` for the last."""
        if self.offset + self.limit >= row_count:
            return None
        query: dict[str, str] = {} if self.sort_by is None else {"sort_by": self.sort_by}
        if self.descending:
            query["descending"] = "true"
        query.update(offset=str(self.offset + self.limit), limit=str(self.limit))
        return f'<?{urlencode(query)}>; rel="next"'


def page_of(query: dict[str, str]) -> Page:
    """The page that a query asks for.

    Raises:
        ProblemError: it asks for something else, or in another form.
    """
    unknown = query.keys() - set(Page._fields)
    if unknown:
        raise _bad(f"the query has {', '.join(sorted(unknown))[:100]}; known are {', '.join(Page._fields)}")
    descending = _TRUTH.get(query.get("descending", "false"))
    if descending is None:
        raise _bad("descending is true or false")
    offset = _number(query, "offset", 0, 0, 2**53)
    return Page(
        query.get("sort_by"), descending, offset, _number(query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    )


def _number(query: dict[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise _bad(f"{name} is a number from {least} to {most}")
    return int(text)


def _bad(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, detail)
