"""How far long work has come: a bar while it lasts, at a terminal; what of it is done, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Protocol

from durabase.cli.console import Console

__all__ = ["Progress", "Subject", "bar", "mebibytes"]

_WIDTH: Final = 24


class Subject(Protocol):
    """An object that something is done with: written as it is called."""

    @property
    def class_name(self) -> str:
        """Its class."""

    @property
    def name(self) -> str | None:
        """Its name, if it has one."""


class Progress:
    """Of several objects, one after the other.

    Args:
        console: where it is said.
        total: how many there are.
        as_json: say nothing but a document for each that is done.
    """

    def __init__(self, console: Console, total: int, *, as_json: bool) -> None:
        self._console = console
        self._total = total
        self._as_json = as_json
        self._done = 0

    def at(self, which: Subject, size: int, whole: int | None = None) -> None:
        """So many bytes of the object are done, of so many if that is known."""
        if not self._as_json:
            share = min(size / whole, 1) if whole else 0
            counted = f"{self._done}/{self._total}"
            of_whole = "" if whole is None else f" of {mebibytes(whole)}"
            text = (
                f"{bar((self._done + share) / self._total)} {counted}  {which}: {mebibytes(size)}{of_whole}"
            )
            self._console.passing(text)

    def done(self, which: Subject, action: str, file: Path) -> None:
        """The object is done."""
        self._done += 1
        size = file.stat().st_size
        if self._as_json:
            record = {"class": which.class_name, "name": which.name, "file": str(file), "bytes": size}
            self._console.line(json.dumps({action: record}, ensure_ascii=False))
        else:
            head = f"[{self._done}/{self._total}] " if self._total > 1 else ""
            self._console.line(f"{head}{which}: {action}, {size:,} bytes, {file}")


def bar(share: float) -> str:
    """A bar that is filled to this share."""
    filled = int(share * _WIDTH)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {int(share * 100):3} %"


def mebibytes(size: int) -> str:
    """A number of bytes, for people."""
    return f"{size / (1 << 20):.1f} MiB"
