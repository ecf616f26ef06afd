"""What a data directory remembers of the classes whose objects it keeps, and what migrations do to it.

A migration is made once: its tag is remembered, with the classes that came of it. A new tag at the end of
the list is made at the next start; a class that it deletes goes with all its objects, one that it
renames or transfers keeps its objects and their ids.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from durabase.errors import ConfigError, StorageError
from durabase.workers.config import Config, ObjectClassConfig
from durabase.workers.config.classes import (
    ClassChange,
    ClassTable,
    CreateClass,
    DeleteClass,
    Migration,
    RenameClass,
    TransferClass,
    changes_to,
)

__all__ = ["ClassLedger", "DeletedClass", "MigrationPlan"]

_log = logging.getLogger("durabase.workers")

FORMAT: Final = 1
_STORAGES: Final = {"kv": "key-value storage (new_classes)", "sqlite": "SQLite storage (new_sqlite_classes)"}


@dataclass
class _WorkerRecord:
    """The tags of the migrations that were made, and the classes that there are."""

    tags: list[str] = field(default_factory=list)
    table: ClassTable = field(default_factory=ClassTable)


_Records = dict[str, _WorkerRecord]


@dataclass(frozen=True, slots=True)
class DeletedClass:
    """A class that goes, and the folder of its objects."""

    worker: str
    class_name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What is to be done before workers run.

    ``configs`` are theirs, with the classes as they are then; ``steps`` are the migrations of each that are
    new, with one without a tag for what ``exports`` ask; ``records`` is what is remembered of it.
    """

    configs: list[Config]
    steps: dict[str, list[Migration]]
    deletions: list[DeletedClass]
    records: _Records


class ClassLedger:
    """The file ``classes.json`` in a directory of objects. Whoever uses it has the directory's lock.

    Args:
        state_dir: the directory.
    """

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._path = state_dir / "classes.json"

    def plan(self, configs: Sequence[Config]) -> MigrationPlan:
        """Work out what the workers' new migrations do. Nothing is done yet.

        Raises:
            ConfigError: tags that were made are not there any more, or a class would change its storage.
            StorageError: the file can't be read.
        """
        records = self._read()
        deletions: list[DeletedClass] = []
        steps: dict[str, list[Migration]] = {}
        for config in configs:
            migrator = _Migrator(config, records, self._state_dir)
            deletions += [self._deletion(config, each) for each in migrator.migrate()]
            steps[config.name] = migrator.steps
        migrated = [_with_classes(config, records[config.name]) for config in configs]
        return MigrationPlan(migrated, steps, deletions, records)

    def carry_out(self, plan: MigrationPlan) -> None:
        """Delete what the plan deletes, and remember it all.

        Raises:
            StorageError: something can't be deleted or written. It is done again at the next start.
        """
        try:
            for deletion in plan.deletions:
                size = folder_size(deletion.folder)
                if deletion.folder.exists():
                    shutil.rmtree(deletion.folder)
                _log.warning(
                    "%s: a migration deleted the class %s and all its objects (%s in %s)",
                    *(deletion.worker, deletion.class_name, size, deletion.folder),
                )
            self._write(plan.records)
        except OSError as error:
            raise StorageError(f"{self._state_dir} can't be migrated: {error}") from error

    def _deletion(self, config: Config, deleted: ObjectClassConfig) -> DeletedClass:
        folder = self._state_dir / quote(config.unique_key(deleted), safe="")  # as the host names it
        return DeletedClass(config.name, deleted.class_name, folder)

    def _read(self) -> _Records:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageError(f"{self._path} can't be read: {error}") from error
        try:
            return _from_json(json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(f"{self._path} is damaged or of a later version: {error!r}") from error

    def _write(self, records: _Records) -> None:
        workers = {
            name: asdict(record) for name, record in records.items() if record.tags or record.table.classes
        }
        text = json.dumps({"format": FORMAT, "workers": workers}, indent=1)
        before = self._path.read_text(encoding="utf-8") if self._path.exists() else None
        if text == before or not (workers or before):
            return
        self._state_dir.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


class _Migrator:
    """Brings the record of one worker up to its configuration."""

    def __init__(self, config: Config, records: _Records, state_dir: Path) -> None:
        self._config = config
        self._records = records
        self._record = records.setdefault(config.name, _WorkerRecord())
        self._state_dir = state_dir
        self.steps: list[Migration] = []

    def migrate(self) -> list[ObjectClassConfig]:
        """Make the changes, and return the classes that they delete."""
        made = self._record.tags
        tags = [migration.tag for migration in self._config.migrations]
        if tags[: len(made)] != made:
            raise ConfigError(
                f"{self._config.path}: the data in {self._state_dir} has had the migrations "
                f"{', '.join(made)}, in this order; the configuration begins with "
                f"{', '.join(tags) or 'none'}. Put back what was there, with new ones at the end; or use "
                "other data (--persist-to), or delete that directory."
            )
        deleted = []
        self.steps = list(self._config.migrations[len(made) :])
        for migration in self.steps:
            deleted += [self._apply(change) for change in migration.changes]
            made.append(migration.tag)
        declared = tuple(changes_to(self._config.exports, self._record.table.classes))
        if declared:
            self.steps.append(Migration("", declared))
        for change in declared:
            deleted.append(self._apply(change))
        self._check_storages()
        return [each for each in deleted if each is not None]

    def _apply(self, change: ClassChange) -> ObjectClassConfig | None:
        table = self._record.table
        match change:
            case CreateClass(class_name, _) if class_name in table.classes or self._was_given_away(
                class_name
            ):
                return None  # it came to be by a binding alone, or belongs to another worker by now
            case RenameClass(old, _) if old not in table.classes:
                return None
            case DeleteClass(class_name) if class_name not in table.classes:
                return None
            case TransferClass(from_script, old, new):
                source = self._records.get(from_script, _WorkerRecord()).table.classes
                if old in source:
                    origin = source.pop(old)
                    origin = replace(origin, original_worker=origin.original_worker or from_script)
                    table.take_over(new, origin)
                    return None
        return table.apply(change)

    def _was_given_away(self, class_name: str) -> bool:
        return any(
            (taken.original_worker, taken.original_name) == (self._config.name, class_name)
            for name, record in self._records.items()
            if name != self._config.name
            for taken in record.table.classes.values()
        )

    def _check_storages(self) -> None:
        """What the configuration says of a class now has to be what it was created with."""
        known = self._record.table.classes
        for configured in self._config.classes:
            found = known.get(configured.class_name)
            if found is None or configured.original_worker is not None or found.storage == configured.storage:
                continue
            raise ConfigError(
                f"{self._config.path}: the objects of {configured.class_name} in {self._state_dir} have "
                f"{_STORAGES[found.storage]}; that can't be changed to {_STORAGES[configured.storage]}. Make "
                "another class, or use other data (--persist-to), or delete that directory."
            )


def _with_classes(config: Config, record: _WorkerRecord) -> Config:
    return replace(config, classes=tuple(record.table.classes.values()))


def _from_json(value: Mapping[str, Any]) -> _Records:
    if value["format"] != FORMAT:
        raise ValueError(f"format {value['format']}")
    return {name: _record_from_json(record) for name, record in value["workers"].items()}


def _record_from_json(value: Mapping[str, Any]) -> _WorkerRecord:
    table = value["table"]
    classes = {name: ObjectClassConfig(**known) for name, known in table["classes"].items()}
    return _WorkerRecord(list(value["tags"]), ClassTable(classes, dict(table["created"])))


def folder_size(folder: Path) -> str:
    """Return how large the files of a folder are, for people."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1024:.0f} KiB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MiB"
