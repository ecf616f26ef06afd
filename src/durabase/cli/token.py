"""``durabase token``: a token for a room, or a new key to sign them with."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

from durabase.cli.console import Console
from durabase.sync_server.tokens import RoomTokens, new_key

__all__ = ["token"]


def token(options: argparse.Namespace, console: Console) -> int:
    """Print a token, or a key."""
    if options.new_key:
        name = datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
        console.line(new_key(name))
        return 0
    if not options.paths:
        console.error("A token is for some path: durabase token PATH, or durabase token --new-key")
        return 2
    try:
        tokens = RoomTokens.from_text(_keys(options.key_file, options.key_env))
        made = tokens.issue(options.paths, options.level, options.identity, expires_in=options.expires)
    except ValueError as error:
        console.error(str(error))
        return 2
    console.line(made)
    return 0


def _keys(file: Path | None, variable: str) -> str:
    """The keys as text.

    Raises:
        ValueError: there are none.
        OSError: the file can't be read.
    """
    if file is not None:
        return file.read_text(encoding="utf-8")
    text = os.environ.get(variable, "")
    if not text:
        raise ValueError(f"no key: set {variable} or say --key-file; durabase token --new-key makes one")
    return text
