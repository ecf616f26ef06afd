"""A configuration file as a plain dict, whatever it is written in; nothing is checked but the syntax."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from durabase.errors import ConfigError
from durabase.workers.config.dotenv import parse_dotenv
from durabase.workers.config.jsonc import parse_jsonc

__all__ = ["read_config", "read_secrets"]

_POSITION = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")


def read_config(path: Path) -> dict[str, Any]:
    """Return the content of the configuration file.

    Raises:
        ConfigError: it can't be read, or its syntax is wrong; the message has file, line and column.
    """
    text = _read_text(path)
    try:
        value = tomllib.loads(text) if path.suffix == ".toml" else parse_jsonc(text)
    except json.JSONDecodeError as error:
        raise _misspelt(path, text, error.lineno, error.colno, error.msg) from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(path, text, str(error)) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{path}: expected an object of settings but found {json.dumps(value)[:60]}")
    return value


def _not_toml(path: Path, text: str, message: str) -> ConfigError:
    """Take the position out of the message, which is where the standard library has it."""
    at = _POSITION.search(message)
    if at is None:  # at the end of the document
        lines = text.splitlines() or [""]
        return _misspelt(path, text, len(lines), len(lines[-1]) + 1, message.partition(" (at")[0])
    return _misspelt(path, text, int(at["line"]), int(at["column"]), message[: at.start()])


def _misspelt(path: Path, text: str, line: int, column: int, message: str) -> ConfigError:
    shown = (text.splitlines() or [""])[line - 1 : line] or [""]
    number = f"{line:>4} "
    pointer = f"{' ' * len(number)}| {' ' * (column - 1)}^"
    return ConfigError(f"{path}:{line}:{column}: {message}\n{number}| {shown[0]}\n{pointer}")


def read_secrets(directory: Path, environment: str | None) -> dict[str, str]:
    """Return what ``.dev.vars`` holds, or ``.dev.vars.<environment>`` instead where that exists.

    Where there is neither, it is what ``.env``, ``.env.local``, ``.env.<environment>`` and
    ``.env.<environment>.local`` hold together; the later override the earlier.
    """
    names = [f".dev.vars.{environment}"] if environment else []
    for name in (*names, ".dev.vars"):
        if (path := directory / name).is_file():
            return parse_dotenv(_read_text(path))
    secrets: dict[str, str] = {}
    for name in (".env", f".env.{environment}") if environment else (".env",):
        for path in (directory / name, directory / f"{name}.local"):
            secrets |= parse_dotenv(_read_text(path)) if path.is_file() else {}
    return secrets


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from None
