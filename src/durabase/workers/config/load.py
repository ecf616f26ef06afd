"""From a place on disk to a checked configuration: find, read, normalise, look for the files it names."""

from __future__ import annotations

import os.path
from pathlib import Path

from durabase.errors import ConfigError
from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.find import find_config
from durabase.workers.config.model import Config
from durabase.workers.config.normalise import normalise
from durabase.workers.config.raw import read_config, read_secrets

__all__ = ["load_config"]


def load_config(path_or_dir: str | Path, environment: str | None = None) -> tuple[Config, Diagnostics]:
    """Load the configuration that a file or directory leads to.

    Args:
        path_or_dir: a configuration file, or a directory to look in and above.
        environment: the name of a section of ``env``; an empty string chooses the top level
            without the warning that there are environments.

    Returns:
        The configuration with the secrets of ``.dev.vars``, and diagnostics without errors.

    Raises:
        ConfigError: none found, or it has errors; ``details`` is the tree of them.
    """
    path = find_config(Path(path_or_dir))
    config, diagnostics = normalise(read_config(path), environment, str(path))
    _check_files(config, diagnostics)
    if diagnostics.has_errors():
        raise ConfigError(diagnostics.render_errors())
    return config.with_secrets(read_secrets(path.parent, environment)), diagnostics


def _check_files(config: Config, diagnostics: Diagnostics) -> None:
    if config.main and not os.path.isfile(config.main):
        shown = os.path.relpath(config.main, config.directory)
        diagnostics.error(f'The entry-point file at "{shown}" was not found.')
    assets = config.assets
    if assets is not None and not os.path.isdir(assets.directory):
        diagnostics.error(
            f'The directory specified by the "assets.directory" field does not exist:\n{assets.directory}'
        )
