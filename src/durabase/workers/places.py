"""Where a worker's data is kept, and what goes into its objects' ids, unless told otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from durabase.workers.config import Config

__all__ = ["id_secret", "state_dir_of"]


def state_dir_of(config: Config) -> Path:
    """The directory of a worker's data: ``.durabase/state`` beside its configuration."""
    return Path(config.directory) / ".durabase" / "state"


def id_secret() -> str | None:
    """The secret of ids, from the environment variable ``DURABASE_ID_SECRET``."""
    return os.environ.get("DURABASE_ID_SECRET") or None
