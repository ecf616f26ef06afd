"""How commits are made and become durable; what measures that, or lets it fail, derives from it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = ["Connection", "Disk", "Durability"]

Durability: TypeAlias = Literal["full", "normal", "off"]
"""How much of a power cut is survived, see :class:`Disk`."""


class Connection(sqlite3.Connection):
    """A connection of a database; ``told_changes`` is for disks that measure: what they know of."""

    told_changes = 0


class Disk:
    """How commits are made and become durable.

    Attributes:
        durability: ``full``: what was acknowledged survives a power cut. ``normal``: it survives the end of
            the process; a power cut may take the last commits, whole ones. ``off``: a power cut may damage
            files.
    """

    durability: Durability = "full"

    def commit(self, connection: Connection) -> None:
        """End the open transaction: what it wrote is in the log. On the event loop."""
        connection.execute("COMMIT")

    def sync(self, log: int) -> None:
        """Make the log, an open file, durable. On a thread."""
        if self.durability == "full":
            getattr(os, "fdatasync", os.fsync)(log)

    def rearrange(self, action: Callable[[], object]) -> None:
        """Do what moves what was written from file to file, or removes files. On a thread."""
        action()

    def sync_folder(self, folder: Path) -> None:
        """Make durable which files there are."""
        if self.durability == "full" and os.name != "nt":
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
