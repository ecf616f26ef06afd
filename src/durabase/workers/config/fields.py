"""Reading one table of a configuration: typed getters that report what is wrong and go on with the default.

Knows no key by name. The texts are wrangler's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from durabase.workers.config.diagnostics import Diagnostics

__all__ = ["Fields", "shown"]

_T = TypeVar("_T", bound=str)


class Fields:
    """A table at ``path`` (empty for the top level) whose keys are read one by one."""

    __slots__ = ("_diagnostics", "_path", "_read", "_table")

    def __init__(self, table: Mapping[str, Any], path: str, diagnostics: Diagnostics) -> None:
        self._table = table
        self._path = path
        self._diagnostics = diagnostics
        self._read: set[str] = set()

    def path(self, key: str) -> str:
        """Return the name of ``key`` as messages show it."""
        return f"{self._path}.{key}" if self._path else key

    def keys(self) -> list[str]:
        """Return all keys, in order."""
        return list(self._table)

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is there and not null."""
        return self.raw(key) is not None

    def raw(self, key: str) -> Any:
        """Return the value as it stands, ``None`` if there is none."""
        self._read.add(key)
        return self._table.get(key)

    def string(self, key: str) -> str | None:
        """Return an optional string."""
        value = self.raw(key)
        if value is None or isinstance(value, str):
            return value
        self._wrong_type(self.path(key), "string", value)
        return None

    def required_string(self, key: str) -> str | None:
        """Return a string whose absence is an error, too."""
        if not self.has(key):
            self._diagnostics.error(f'"{self.path(key)}" is a required field.')
        return self.string(key)

    def boolean(self, key: str, default: bool) -> bool:
        """Return an optional boolean."""
        value = self.raw(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self._wrong_type(self.path(key), "boolean", value)
        return default

    def integer(self, key: str, default: int) -> int:
        """Return an optional whole number."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._wrong_type(self.path(key), "number", value)
        return default

    def choice(self, key: str, choices: tuple[_T, ...], default: _T) -> _T:
        """Return one of ``choices``."""
        value = self.raw(key)
        if value is None:
            return default
        found = next((choice for choice in choices if choice == value), None)
        if found is None:
            allowed = ",".join(json.dumps(choice) for choice in choices)
            self._diagnostics.error(
                f'Expected "{self.path(key)}" field to be one of [{allowed}] but got {shown(value)}.'
            )
        return found or default

    def strings(self, key: str) -> tuple[str, ...]:
        """Return an optional array of strings."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self._wrong_type(self.path(key), "string array", value)
            return ()
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self._wrong_type(f"{self.path(key)}.[{index}]", "string", item)
        return tuple(item for item in value if isinstance(item, str))

    def mapping(self, key: str) -> dict[str, Any]:
        """Return an optional object."""
        value = self.raw(key)
        if value is None or isinstance(value, dict):
            return value or {}
        self._diagnostics.error(f'The field "{self.path(key)}" should be an object but got {shown(value)}.')
        return {}

    def table(self, key: str) -> Fields:
        """Return an optional object, to be read further."""
        return Fields(self.mapping(key), self.path(key), self._diagnostics)

    def tables(self, key: str) -> list[Fields]:
        """Return an optional array of objects, to be read further."""
        value = self.raw(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._diagnostics.error(
                f'The field "{self.path(key)}" should be an array but got {shown(value)}.'
            )
            return []
        return [
            Fields(item, f"{self.path(key)}[{index}]", self._diagnostics)
            for index, item in enumerate(value)
            if self._is_table(item, f"{self.path(key)}[{index}]")
        ]

    def error(self, text: str) -> None:
        """Report ``text`` about this table."""
        self._diagnostics.error(f'"{self._path}": {text}' if self._path else text)

    def wrong_entry(self, *texts: str) -> None:
        """Report ``texts`` about this table as a whole, which is shown."""
        if texts:
            bullets = "".join(f"\n- {text}" for text in texts)
            self._diagnostics.error(f'"{self._path}": {shown(self._table)}{bullets}')

    def wrong_binding(self, expected: str) -> None:
        """Report that this table is no binding, for it lacks what is ``expected``."""
        self._diagnostics.error(
            f'"{self._path}" bindings should have {expected} but got {shown(self._table)}.'
        )

    def warn_unexpected(
        self, *ignored: str, place: str | None = None, of: Collection[str] | None = None
    ) -> None:
        """Warn about the keys, or those ``of`` them, that nobody has read and that are not ``ignored``."""
        keys = [key for key in self._table if of is None or key in of]
        unknown = [key for key in keys if key not in self._read and key not in ignored]
        if unknown:
            place = place or self._path or "top-level"
            names = ",".join(json.dumps(key) for key in unknown)
            self._diagnostics.warning(f"Unexpected fields found in {place} field: {names}")

    def _is_table(self, item: Any, path: str) -> bool:
        if not isinstance(item, dict):
            self._wrong_type(path, "object", item)
            return False
        return True

    def _wrong_type(self, path: str, expected: str, value: Any) -> None:
        self._diagnostics.error(f'Expected "{path}" to be of type {expected} but got {shown(value)}.')


def shown(value: Any) -> str:
    """Return ``value`` as messages show it: JSON, shortened."""
    text = json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= 80 else f"{text[:77]}..."
