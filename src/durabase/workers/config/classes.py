"""The object classes of a worker over time: the changes that migrations make, and what comes of them. Pure.

A class keeps the name that it was created with, and that worker's name: ids and data belong to these,
however often it is renamed or transferred.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

__all__ = [
    "ClassChange",
    "ClassExport",
    "ClassTable",
    "CreateClass",
    "DeleteClass",
    "ExportState",
    "Migration",
    "ObjectClassConfig",
    "RenameClass",
    "StorageKind",
    "TransferClass",
    "changes_to",
]

ExportState = Literal["created", "renamed", "deleted", "transferred", "expecting-transfer"]


StorageKind = Literal["kv", "sqlite"]


@dataclass(frozen=True, slots=True)
class ObjectClassConfig:
    """One namespace of objects.

    ``original_name`` is what the class was called when it was created, and ``original_worker`` where that
    was, if not in this worker: ids and stored data belong to these names, however often the class is renamed.
    """

    class_name: str
    storage: StorageKind
    original_name: str
    original_worker: str | None = None


@dataclass(frozen=True, slots=True)
class CreateClass:
    """There is a new class."""

    class_name: str
    storage: StorageKind


@dataclass(frozen=True, slots=True)
class RenameClass:
    """A class has another name; its objects stay."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class DeleteClass:
    """A class is gone, with all its objects."""

    class_name: str


@dataclass(frozen=True, slots=True)
class TransferClass:
    """A class of the worker ``from_script`` belongs to this one, with all its objects."""

    from_script: str
    old: str
    new: str


ClassChange: TypeAlias = CreateClass | RenameClass | DeleteClass | TransferClass


@dataclass(frozen=True, slots=True)
class Migration:
    """Changes that are made once, together, and remembered by their tag."""

    tag: str
    changes: tuple[ClassChange, ...]


@dataclass(frozen=True, slots=True)
class ClassExport:
    """What a class shall be. ``other`` is the new name of one that is renamed, or the worker of origin."""

    class_name: str
    storage: StorageKind
    state: ExportState = "created"
    other: str = ""


@dataclass
class ClassTable:
    """The classes that there are, and how often one of each name was created."""

    classes: dict[str, ObjectClassConfig] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)

    def apply(self, change: ClassChange) -> ObjectClassConfig | None:
        """Make a change, and return the class that it deletes, if it does.

        Raises:
            ValueError: it can't be made; nothing has changed.
        """
        match change:
            case CreateClass(class_name, storage):
                self._create(class_name, storage)
            case RenameClass(old, new):
                self._rename(old, new)
            case DeleteClass(class_name):
                return self._delete(class_name)
            case TransferClass(from_script, old, new):
                self.take_over(new, ObjectClassConfig(old, "sqlite", old, from_script))
        return None

    def take_over(self, class_name: str, foreign: ObjectClassConfig) -> None:
        """Have a class of another worker under this name.

        Raises:
            ValueError: there is one of this name.
        """
        if class_name in self.classes:
            raise ValueError(f'The class "{class_name}" can\'t be transferred: a class of that name exists.')
        self.classes[class_name] = replace(foreign, class_name=class_name)

    def _create(self, class_name: str, storage: StorageKind) -> None:
        if class_name in self.classes:
            raise ValueError(f'The class "{class_name}" was already created by an earlier migration.')
        times = self.created[class_name] = self.created.get(class_name, 0) + 1
        original_name = class_name if times == 1 else f"{class_name}~{times}"
        self.classes[class_name] = ObjectClassConfig(class_name, storage, original_name)

    def _rename(self, old: str, new: str) -> None:
        if old not in self.classes:
            raise ValueError(f'The class "{old}" can\'t be renamed: no earlier migration created it.')
        if new in self.classes:
            raise ValueError(f'The class "{old}" can\'t be renamed to "{new}": that class exists already.')
        self.classes[new] = replace(self.classes.pop(old), class_name=new)

    def _delete(self, class_name: str) -> ObjectClassConfig:
        if class_name not in self.classes:
            raise ValueError(f'The class "{class_name}" can\'t be deleted: no earlier migration created it.')
        return self.classes.pop(class_name)


def changes_to(exports: Collection[ClassExport], known: Collection[str]) -> Iterator[ClassChange]:
    """Yield the changes that lead from classes of the ``known`` names to what the exports say."""
    present = set(known)
    for export in exports:
        name, new = export.class_name, export.other
        if export.state == "renamed" and new not in present:
            if name not in present:
                yield CreateClass(name, export.storage)
            yield RenameClass(name, new)
            present = present - {name} | {new}
        elif export.state == "deleted" and name in present:
            yield DeleteClass(name)
            present.discard(name)
    for export in exports:
        if export.class_name in present:
            continue
        if export.state == "created":
            yield CreateClass(export.class_name, export.storage)
        elif export.state == "expecting-transfer":
            yield TransferClass(export.other, export.class_name, export.class_name)
