"""Names in SQL text; the reading of it is tested where statements are run."""

from __future__ import annotations

from durabase.durable_objects.storage.sql_text import quoted


def test_a_quoted_name_may_have_anything_in_it() -> None:
    assert quoted('a "b"; DROP') == '"a ""b""; DROP"'
