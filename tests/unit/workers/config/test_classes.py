"""Classes over time: what each change makes of them, and the changes that lead to what is declared."""

from __future__ import annotations

import pytest

from durabase.workers.config.classes import (
    ClassChange,
    ClassExport,
    ClassTable,
    CreateClass,
    DeleteClass,
    ObjectClassConfig,
    RenameClass,
    TransferClass,
    changes_to,
)


def after(*changes: ClassChange) -> ClassTable:
    table = ClassTable()
    for change in changes:
        table.apply(change)
    return table


A, B = CreateClass("A", "sqlite"), CreateClass("B", "kv")


def test_a_class_is_created_with_its_storage() -> None:
    assert list(after(A, B).classes.values()) == [
        ObjectClassConfig("A", "sqlite", "A"),
        ObjectClassConfig("B", "kv", "B"),
    ]
    assert ClassTable().apply(A) is None


def test_a_renamed_class_keeps_storage_and_the_name_that_ids_come_from() -> None:
    table = after(A, RenameClass("A", "B"), RenameClass("B", "C"))
    assert table.classes == {"C": ObjectClassConfig("C", "sqlite", "A")}


def test_a_deleted_class_is_told() -> None:
    table = after(A, B, RenameClass("A", "C"))
    assert table.apply(DeleteClass("C")) == ObjectClassConfig("C", "sqlite", "A")
    assert list(table.classes) == ["B"]


def test_a_class_made_anew_does_not_get_the_old_data() -> None:
    again = after(A, DeleteClass("A"), A, RenameClass("A", "B"), A)
    assert [made.original_name for made in again.classes.values()] == ["A~2", "A~3"]
    assert again.created == {"A": 3}


def test_a_class_of_another_worker_keeps_its_names() -> None:
    table = after(TransferClass("other", "Old", "New"))
    assert table.classes == {"New": ObjectClassConfig("New", "sqlite", "Old", "other")}
    table.take_over("X", ObjectClassConfig("Y", "kv", "Z", "third"))
    assert table.classes["X"] == ObjectClassConfig("X", "kv", "Z", "third")
    assert table.created == {}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (A, 'The class "A" was already created by an earlier migration.'),
        (RenameClass("X", "Y"), 'The class "X" can\'t be renamed: no earlier migration created it.'),
        (RenameClass("A", "B"), 'The class "A" can\'t be renamed to "B": that class exists already.'),
        (DeleteClass("X"), 'The class "X" can\'t be deleted: no earlier migration created it.'),
        (
            TransferClass("other", "X", "A"),
            'The class "A" can\'t be transferred: a class of that name exists.',
        ),
    ],
)
def test_what_can_not_be_done_changes_nothing(change: ClassChange, complaint: str) -> None:
    table = after(A, B)
    with pytest.raises(ValueError, match="The class") as caught:
        table.apply(change)
    assert str(caught.value) == complaint
    assert table == after(A, B)


CREATED = ClassExport("A", "sqlite")


@pytest.mark.parametrize(
    ("exports", "known", "changes"),
    [
        ([CREATED], [], [A]),
        ([CREATED], ["A"], []),
        ([ClassExport("A", "kv", "deleted")], ["A"], [DeleteClass("A")]),
        ([ClassExport("A", "kv", "deleted")], [], []),
        ([ClassExport("A", "kv", "transferred", "other")], ["A"], []),
        ([ClassExport("A", "kv", "transferred", "other")], [], []),
        (
            [ClassExport("A", "sqlite", "expecting-transfer", "other")],
            *([], [TransferClass("other", "A", "A")]),
        ),
        ([ClassExport("A", "sqlite", "expecting-transfer", "other")], ["A"], []),
        ([ClassExport("A", "sqlite", "renamed", "B")], ["A"], [RenameClass("A", "B")]),
        ([ClassExport("A", "sqlite", "renamed", "B")], [], [A, RenameClass("A", "B")]),
        ([ClassExport("A", "sqlite", "renamed", "B")], ["B"], []),
        (
            [ClassExport("B", "kv"), ClassExport("A", "sqlite", "renamed", "B")],
            *(["A"], [RenameClass("A", "B")]),
        ),
        (
            [CREATED, ClassExport("B", "kv", "deleted"), ClassExport("A", "kv", "renamed", "C")],
            *(["A", "B"], [DeleteClass("B"), RenameClass("A", "C"), A]),
        ),
    ],
)
def test_what_leads_to_what_is_declared(
    exports: list[ClassExport], known: list[str], changes: list[ClassChange]
) -> None:
    assert list(changes_to(exports, known)) == changes
