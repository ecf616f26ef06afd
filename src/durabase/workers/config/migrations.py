"""Reading ``migrations`` and ``exports``: the changes that they ask for, checked against one another.

What has been done about them so far is not known here, only what comes of doing all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from durabase.workers.config.classes import (
    ClassChange,
    ClassExport,
    ClassTable,
    CreateClass,
    DeleteClass,
    ExportState,
    Migration,
    RenameClass,
    StorageKind,
    TransferClass,
    changes_to,
)
from durabase.workers.config.fields import Fields

__all__ = ["read_exports", "read_migrations"]

_STORAGES: tuple[StorageKind, ...] = ("sqlite", "kv")
_STATES: tuple[ExportState, ...] = ("created", "renamed", "deleted", "transferred", "expecting-transfer")
_OTHERS = {"renamed": "renamed_to", "transferred": "transferred_to", "expecting-transfer": "transfer_from"}


def read_migrations(migrations: Sequence[Fields], table: ClassTable) -> tuple[Migration, ...]:
    """Read the entries of the ``migrations`` array, and make their changes to ``table``."""
    read: list[Migration] = []
    for migration in migrations:
        tag = migration.required_string("tag")
        if tag in [earlier.tag for earlier in read]:
            migration.error(f'The tag "{tag}" was already used by an earlier migration.')
        changes = tuple(_changes(migration))
        migration.warn_unexpected()
        for change in changes:
            _apply(change, table, migration)
        read.append(Migration(tag or "", changes))
    return tuple(read)


def _changes(migration: Fields) -> Iterator[ClassChange]:
    for class_name in migration.strings("new_classes"):
        yield CreateClass(class_name, "kv")
    for class_name in migration.strings("new_sqlite_classes"):
        yield CreateClass(class_name, "sqlite")
    for entry in migration.tables("renamed_classes"):
        old, new = entry.required_string("from"), entry.required_string("to")
        entry.warn_unexpected()
        if old is not None and new is not None:
            yield RenameClass(old, new)
    for class_name in migration.strings("deleted_classes"):
        yield DeleteClass(class_name)
    for entry in migration.tables("transferred_classes"):
        old, new = entry.required_string("from"), entry.required_string("to")
        from_script = entry.required_string("from_script")
        entry.warn_unexpected()
        if old is not None and new is not None and from_script is not None:
            yield TransferClass(from_script, old, new)


def read_exports(exports: Fields, table: ClassTable) -> tuple[ClassExport, ...]:
    """Read the declarative ``exports`` table, and have ``table`` be as it says."""
    read = tuple(_export(class_name, exports.table(class_name)) for class_name in exports.keys())  # noqa: SIM118
    for change in changes_to(read, table.classes):
        _apply(change, table, exports)
    return read


def _export(class_name: str, entry: Fields) -> ClassExport:
    if entry.required_string("type") != "durable-object":
        entry.error('only exports of type "durable-object" are supported.')
    state = entry.choice("state", _STATES, "created")
    storage = entry.choice("storage", _STORAGES, "sqlite")
    other = entry.required_string(_OTHERS[state]) if state in _OTHERS else None
    entry.warn_unexpected()
    return ClassExport(class_name, storage, state, other or "")


def _apply(change: ClassChange, table: ClassTable, where: Fields) -> None:
    try:
        table.apply(change)
    except ValueError as error:
        where.error(str(error))
