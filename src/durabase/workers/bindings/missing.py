"""Why a configured binding is not on ``env``."""

from __future__ import annotations

from durabase.workers.config import Config

__all__ = ["missing_bindings"]


def missing_bindings(config: Config) -> dict[str, str]:
    """Return the names of bindings to products that are not there, each with what to say about it."""
    return {
        name: f"{key} (configured in {config.path}) is not supported here"
        for name, key in config.unsupported.items()
    }
