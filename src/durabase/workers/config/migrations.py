"""Which object classes exist after the configured migrations, and under which name each was created.

Directives only say what there is; they are worked out anew at every start, from the first to
the last, and nothing on disk is touched. So a renamed class keeps its ids and data, and the
data of a deleted one stays in the state directory but can't be reached any more, even by a new
class of the same name.
"""

from __future__ import annotations

from durabase.workers.config.fields import Fields
from durabase.workers.config.model import ObjectClassConfig, StorageKind

__all__ = ["MigratedClasses"]

_STORAGES: tuple[StorageKind, ...] = ("sqlite", "kv")


class MigratedClasses:
    """Class names and what is known of them, changed by one directive after the other."""

    def __init__(self) -> None:
        self._classes: dict[str, ObjectClassConfig] = {}
        self._created: dict[str, int] = {}

    def __contains__(self, class_name: str) -> bool:
        return class_name in self._classes

    def result(self) -> tuple[ObjectClassConfig, ...]:
        """Return the classes that exist now, in the order of their creation."""
        return tuple(self._classes.values())

    def create(self, class_name: str, storage: StorageKind, where: Fields) -> None:
        """Create a namespace; one that is there already is an error."""
        if class_name in self._classes:
            where.error(f'The class "{class_name}" was already created by an earlier migration.')
            return
        times = self._created[class_name] = self._created.get(class_name, 0) + 1
        original_name = class_name if times == 1 else f"{class_name}~{times}"
        self._classes[class_name] = ObjectClassConfig(class_name, storage, original_name)

    def apply(self, migrations: list[Fields]) -> None:
        """Apply the entries of the ``migrations`` array."""
        tags: set[str] = set()
        for migration in migrations:
            self._check_tag(migration, tags)
            for class_name in migration.strings("new_classes"):
                self.create(class_name, "kv", migration)
            for class_name in migration.strings("new_sqlite_classes"):
                self.create(class_name, "sqlite", migration)
            for renamed in migration.tables("renamed_classes"):
                self._rename(renamed)
            for class_name in migration.strings("deleted_classes"):
                self._delete(class_name, migration)
            if migration.has("transferred_classes"):
                migration.error('"transferred_classes" is not supported: there is one worker in a process.')
            migration.warn_unexpected()

    def apply_exports(self, exports: Fields) -> None:
        """Apply the declarative ``exports`` table, of which only existing classes are supported."""
        for class_name in exports.keys():  # noqa: SIM118 (it is no dict)
            entry = exports.table(class_name)
            if entry.required_string("type") != "durable-object":
                entry.error('only exports of type "durable-object" are supported.')
            if entry.choice("state", ("created", "deleted", "renamed"), "created") != "created":
                entry.error('only the state "created" is supported; use "migrations" for other changes.')
            self.create(class_name, entry.choice("storage", _STORAGES, "sqlite"), entry)
            entry.warn_unexpected()

    def _check_tag(self, migration: Fields, tags: set[str]) -> None:
        tag = migration.required_string("tag")
        if tag in tags:
            migration.error(f'The tag "{tag}" was already used by an earlier migration.')
        if tag is not None:
            tags.add(tag)

    def _rename(self, renamed: Fields) -> None:
        old, new = renamed.required_string("from"), renamed.required_string("to")
        renamed.warn_unexpected()
        if old is None or new is None:
            return
        if old not in self._classes:
            renamed.error(f'The class "{old}" can\'t be renamed: no earlier migration created it.')
        elif new in self._classes:
            renamed.error(f'The class "{old}" can\'t be renamed to "{new}": that class exists already.')
        else:
            before = self._classes.pop(old)
            self._classes[new] = ObjectClassConfig(new, before.storage, before.original_name)

    def _delete(self, class_name: str, migration: Fields) -> None:
        if self._classes.pop(class_name, None) is None:
            migration.error(f'The class "{class_name}" can\'t be deleted: no earlier migration created it.')
