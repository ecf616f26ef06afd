"""``vars`` and secrets on ``env``: JSON values, whose objects also give their members as attributes."""

from __future__ import annotations

from typing import Any

from durabase.web import AttributeDict
from durabase.workers.config import Config

__all__ = ["variable_bindings"]


def variable_bindings(config: Config) -> dict[str, Any]:
    """Return what ``vars`` and the secrets put on ``env``; secrets override."""
    return {name: _attributed(value) for name, value in {**config.vars, **config.secrets}.items()}


def _attributed(value: Any) -> Any:
    if isinstance(value, dict):
        return AttributeDict({key: _attributed(member) for key, member in value.items()})
    if isinstance(value, list):
        return [_attributed(item) for item in value]
    return value
