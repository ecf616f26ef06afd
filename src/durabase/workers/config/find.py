"""Where the configuration is: the first file found while walking up from a directory."""

from __future__ import annotations

from pathlib import Path

from durabase.errors import ConfigError

__all__ = ["CONFIG_NAMES", "find_config"]

CONFIG_NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
"""In the order in which they are looked for in one directory."""

_SERVER_DIRECTORY = "server"


def find_config(start: Path) -> Path:
    """Return the configuration file that ``start`` (a file, or a directory to begin at) leads to.

    In each directory its own files come first, then those of its ``server`` folder, where a
    project with a client keeps them; then the directory above is tried.

    Raises:
        ConfigError: there is none.
    """
    start = start.resolve()
    if start.is_file():
        return start
    if not start.exists():
        raise ConfigError(
            f"{start} does not exist. Name a configuration file, or a directory that holds one."
        )
    for directory in (start, *start.parents):
        found = _in_directory(directory) or _in_directory(directory / _SERVER_DIRECTORY)
        if found is not None:
            return found
    raise ConfigError(
        f"No wrangler.toml, wrangler.jsonc or wrangler.json in {start} or above it. "
        "Change to a project's directory, name it (durabase dev DIR), or make one: durabase new my-app"
    )


def _in_directory(directory: Path) -> Path | None:
    return next((path for name in CONFIG_NAMES if (path := directory / name).is_file()), None)
