"""What becomes of cells and values in each kind of database."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.persisters._database.dialect import POSTGRES, SQLITE
from durabase.types import UNDEFINED

from .databases import Database


def test_placeholders_are_numbered_where_they_have_to_be() -> None:
    assert [SQLITE.placeholders(count) for count in (0, 1, 3)] == ["", "?", "?,?,?"]
    assert [POSTGRES.placeholders(0), POSTGRES.placeholders(3), POSTGRES.placeholders(2, 4)] == [
        "",
        "$1,$2,$3",
        "$4,$5",
    ]


@pytest.mark.parametrize(
    ("thing", "stored"),
    [
        (UNDEFINED, None),
        (None, None),
        (True, 1),
        (False, 0),
        (2**63 - 1, 2**63 - 1),
        (2**63, float(2**63)),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, -float(2**63)),
        (1.5, 1.5),
        ("text", "text"),
    ],
)
def test_what_sqlite_stores(thing: Any, stored: Any) -> None:
    found = SQLITE.encode(thing)
    assert (found, type(found)) == (stored, type(stored))


@pytest.mark.parametrize(("stored", "thing"), [(2.0, 2), (2.5, 2.5), (2, 2), ("2.0", "2.0"), (None, None)])
def test_whole_numbers_of_sqlite_are_integers(stored: Any, thing: Any) -> None:
    found = SQLITE.decode(stored)
    assert (found, type(found)) == (thing, type(thing))


@pytest.mark.parametrize(
    ("thing", "stored"),
    [
        (UNDEFINED, None),
        (None, "null"),
        (True, "true"),
        (1.0, "1"),
        ("a\n", '"a\\n"'),
        ("\ufffd[]", '"\ufffd[]"'),
    ],
)
def test_what_postgres_stores_is_json(thing: Any, stored: str | None) -> None:
    assert POSTGRES.encode(thing) == stored
    if stored is not None:
        assert POSTGRES.decode(stored) == thing


@pytest.mark.parametrize(("stored", "thing"), [(None, None), (True, True), (2, 2), (2.5, 2.5), (b"1", None)])
def test_columns_of_other_types_in_postgres(stored: Any, thing: Any) -> None:
    if isinstance(stored, bytes):
        with pytest.raises(ValueError):
            POSTGRES.decode(stored)
    else:
        assert POSTGRES.decode(stored) is thing


def test_texts_may_be_stored_as_they_are() -> None:
    for dialect in (SQLITE, POSTGRES):
        verbatim = dialect.verbatim()
        assert verbatim.encode("[1]") == verbatim.decode("[1]") == "[1]"
        assert verbatim.placeholders(2) == dialect.placeholders(2)


def test_the_schema_of_sqlite_says_which_columns_alone_are_unique() -> None:
    database = Database(
        """
        CREATE TABLE t (id PRIMARY KEY, a UNIQUE, b, c, d, UNIQUE (b, c));
        CREATE UNIQUE INDEX i ON t (d);
        CREATE INDEX j ON t (b);
        CREATE VIEW v AS SELECT a FROM t;
        CREATE TABLE other (x);
        """
    )
    rows = database.execute(SQLITE.schema_sql.format(SQLITE.placeholders(3)), ["t", "v", "not there"])
    assert [(row["tn"], row["cn"], bool(row["uq"])) for row in rows] == [
        ("t", "a", True),
        ("t", "b", False),
        ("t", "c", False),
        ("t", "d", True),
        ("t", "id", True),
        ("v", "a", False),
    ]
