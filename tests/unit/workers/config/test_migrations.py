"""Migrations and exports as they are written, and the classes that come of them."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.workers.config.classes import (
    ClassExport,
    ClassTable,
    CreateClass,
    DeleteClass,
    Migration,
    RenameClass,
    TransferClass,
)
from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.fields import Fields
from durabase.workers.config.migrations import read_exports, read_migrations


class Read:
    """What was read of a table of migrations or exports."""

    def __init__(self, migrations: Any = None, exports: Any = None) -> None:
        diagnostics = Diagnostics("Top:")
        fields = Fields({"migrations": migrations, "exports": exports}, "", diagnostics)
        table = ClassTable()
        self.migrations = read_migrations(fields.tables("migrations"), table)
        self.exports = read_exports(fields.table("exports"), table)
        self.classes = [
            (made.class_name, made.storage, made.original_name) for made in table.classes.values()
        ]
        self.errors, self.warnings = diagnostics.errors, diagnostics.warnings


def test_every_directive_in_the_order_in_which_they_are_applied() -> None:
    read = Read(
        [
            {
                "tag": "v1",
                "transferred_classes": [{"from": "F", "from_script": "other", "to": "G"}],
                "deleted_classes": ["D"],
                "renamed_classes": [{"from": "A", "to": "C"}],
                "new_sqlite_classes": ["B", "D"],
                "new_classes": ["A"],
            },
            {"tag": "v2"},
        ]
    )
    assert (read.errors, read.warnings) == ([], [])
    changes = (
        *(CreateClass("A", "kv"), CreateClass("B", "sqlite"), CreateClass("D", "sqlite")),
        *(RenameClass("A", "C"), DeleteClass("D"), TransferClass("other", "F", "G")),
    )
    assert read.migrations == (Migration("v1", changes), Migration("v2", ()))
    assert read.classes == [("B", "sqlite", "B"), ("C", "kv", "A"), ("G", "sqlite", "F")]


@pytest.mark.feature("M-CF-2")
@pytest.mark.parametrize(
    ("migrations", "complaint"),
    [
        ([{"new_classes": ["A"]}], '"migrations[0].tag" is a required field.'),
        (
            [{"tag": "v"}, {"tag": "v"}],
            '"migrations[1]": The tag "v" was already used by an earlier migration.',
        ),
        (
            [{"tag": "v", "new_classes": ["A"], "new_sqlite_classes": ["A"]}],
            '"migrations[0]": The class "A" was already created by an earlier migration.',
        ),
        (
            [{"tag": "v", "renamed_classes": [{"from": "A", "to": "B"}]}],
            '"migrations[0]": The class "A" can\'t be renamed: no earlier migration created it.',
        ),
        (
            [{"tag": "v", "deleted_classes": ["A"]}],
            '"migrations[0]": The class "A" can\'t be deleted: no earlier migration created it.',
        ),
        (
            [{"tag": "v", "renamed_classes": [{"from": "A"}]}],
            '"migrations[0].renamed_classes[0].to" is a required field.',
        ),
        (
            [{"tag": "v", "renamed_classes": [{"to": "A"}]}],
            '"migrations[0].renamed_classes[0].from" is a required field.',
        ),
        (
            [{"tag": "v", "transferred_classes": [{"from": "A", "to": "B"}]}],
            '"migrations[0].transferred_classes[0].from_script" is a required field.',
        ),
    ],
)
def test_wrong_migrations(migrations: Any, complaint: str) -> None:
    assert Read(migrations).errors == [complaint]


def test_what_is_not_known_of_migrations_is_warned_of() -> None:
    read = Read(
        [
            {
                "tag": "v1",
                "new_classes": ["A"],
                "bogus": 1,
                "renamed_classes": [{"from": "A", "to": "B", "odd": 1}],
                "transferred_classes": [{"from": "A", "to": "C", "from_script": "x", "even": 1}],
            }
        ]
    )
    assert read.errors == []
    assert read.warnings == [
        'Unexpected fields found in migrations[0].renamed_classes[0] field: "odd"',
        'Unexpected fields found in migrations[0].transferred_classes[0] field: "even"',
        'Unexpected fields found in migrations[0] field: "bogus"',
    ]


@pytest.mark.feature("S-CF-3")
def test_exports() -> None:
    kind = {"type": "durable-object"}
    read = Read(
        exports={
            "A": kind,
            "B": {**kind, "storage": "kv", "state": "created"},
            "C": {**kind, "state": "renamed", "renamed_to": "D"},
            "E": {**kind, "state": "transferred", "transferred_to": "x"},
            "F": {**kind, "state": "expecting-transfer", "transfer_from": "y"},
            "G": {**kind, "state": "deleted"},
        }
    )
    assert (read.errors, read.warnings) == ([], [])
    assert read.exports == (
        ClassExport("A", "sqlite"),
        ClassExport("B", "kv"),
        ClassExport("C", "sqlite", "renamed", "D"),
        ClassExport("E", "sqlite", "transferred", "x"),
        ClassExport("F", "sqlite", "expecting-transfer", "y"),
        ClassExport("G", "sqlite", "deleted"),
    )
    assert sorted(read.classes) == [
        *(("A", "sqlite", "A"), ("B", "kv", "B"), ("D", "sqlite", "C")),
        ("F", "sqlite", "F"),
    ]


@pytest.mark.feature("M-CF-2")
@pytest.mark.parametrize(
    ("export", "complaint"),
    [
        ({}, '"exports.A.type" is a required field.'),
        ({"type": "x"}, '"exports.A": only exports of type "durable-object" are supported.'),
        (
            {"type": "durable-object", "state": "x"},
            'Expected "exports.A.state" field to be one of ["created","renamed","deleted","transferred",'
            '"expecting-transfer"] but got "x".',
        ),
        (
            {"type": "durable-object", "storage": "x"},
            'Expected "exports.A.storage" field to be one of ["sqlite","kv"] but got "x".',
        ),
        (
            {"type": "durable-object", "state": "renamed", "transferred_to": "x"},
            '"exports.A.renamed_to" is a required field.',
        ),
        (
            {"type": "durable-object", "state": "transferred"},
            '"exports.A.transferred_to" is a required field.',
        ),
        (
            {"type": "durable-object", "state": "expecting-transfer"},
            '"exports.A.transfer_from" is a required field.',
        ),
    ],
)
def test_wrong_exports(export: dict[str, Any], complaint: str) -> None:
    assert complaint in Read(exports={"A": export}).errors


def test_what_is_not_known_of_exports_is_warned_of() -> None:
    read = Read(exports={"A": {"type": "durable-object", "renamed_to": "B"}})
    assert read.warnings == ['Unexpected fields found in exports.A field: "renamed_to"']
