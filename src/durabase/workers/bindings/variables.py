"""``vars`` and secrets on ``env``: JSON values, whose objects also give their members as attributes."""

from __future__ import annotations

from typing import Any

from durabase.web import AttributeDict
from durabase.workers.config import Config

__all__ = ["attributed", "variable_bindings"]


def variable_bindings(config: Config) -> dict[str, Any]:
    """Return what ``vars`` and the secrets put on ``env``; secrets override."""
    return {name: attributed(value) for name, value in {**config.vars, **config.secrets}.items()}


def attributed(value: Any) -> Any:
    """Return a JSON value whose objects, at any depth, give their members as attributes too."""
    if isinstance(value, dict):
        return AttributeDict({key: attributed(member) for key, member in value.items()})
    if isinstance(value, list):
        return [attributed(item) for item in value]
    return value
