"""``durabase backup`` and ``durabase restore``: objects as files, also while their server runs."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from durabase.cli.admin_client import AdminClient, Asked
from durabase.cli.console import Console
from durabase.cli.objects import admin_of
from durabase.cli.progress import Progress
from durabase.durable_objects.storage.object_copy import read_label
from durabase.errors import DurabaseError

__all__ = ["Which", "backup", "parsed_object", "restore", "send"]

PIECE_BYTES: Final = 16 << 20
LONGEST_NAME: Final = 120

_SUFFIX: Final = ".sqlite"
_LOOKS_LIKE_AN_ID: Final = re.compile(r"[0-9a-f]{64}")


class Which(NamedTuple):
    """One object: by its name if it has one, else by its id."""

    class_name: str
    name: str | None
    id: str | None = None

    @property
    def query(self) -> dict[str, str | list[str] | None]:
        """How requests name it."""
        return {"class": self.class_name, "name": self.name, "id": self.id if self.name is None else None}

    def __str__(self) -> str:
        return f"{self.class_name}/{self.name if self.name is not None else self.id}"


def backup(options: argparse.Namespace, console: Console) -> int:
    """Copy one object to a file, or all to a directory.

    Raises:
        DurabaseError, OSError: it can't be done; files that are there already stay as they are.
    """
    with admin_of(options, console) as admin:
        return _back_up(admin, options, console)


def _back_up(admin: AdminClient, options: argparse.Namespace, console: Console) -> int:
    place = options.place
    if options.object is not None:
        which = parsed_object(options.object)
        progress = Progress(console, 1, as_json=options.json)
        file = place / _file_name(which) if place.is_dir() else place
        _fetch(admin, which, file, progress)
        return 0
    every = list(_every(admin))
    progress = Progress(console, len(every), as_json=options.json)
    for which, size in every:
        folder = place / quote(which.class_name, safe="")
        folder.mkdir(parents=True, exist_ok=True)
        _fetch(admin, which, folder / _file_name(which), progress, size)
    if not every and not options.json:
        console.line("There are no objects that keep anything.")
    return 0


def restore(options: argparse.Namespace, console: Console) -> int:
    """Put a copy back, or all copies of a directory.

    Raises:
        DurabaseError, OSError: it can't be done; what is put back is put back as a whole, object by object.
    """
    if options.place is None:
        raise DurabaseError(
            "Give the file or the directory of copies, or --object with --at for its history."
        )
    place: Path = options.place
    files = sorted(place.rglob(f"*{_SUFFIX}")) if place.is_dir() else [place]
    if options.object is not None and place.is_dir():
        raise DurabaseError("--object names one object: give the file of one copy with it.")
    if not files:
        raise DurabaseError(f"There are no copies in {place}.")
    copies = [
        (file, _labelled(file) if options.object is None else parsed_object(options.object)) for file in files
    ]
    progress = Progress(console, len(copies), as_json=options.json)
    with admin_of(options, console) as admin:
        for file, which in copies:
            send(admin, which, file, progress, replace=options.replace)
            progress.done(which, "restored", file)
    return 0


def parsed_object(text: str) -> Which:
    """The object that is given as ``CLASS/NAME``.

    Raises:
        DurabaseError: it is not.
    """
    class_name, slash, name = text.partition("/")
    if not class_name or not slash:
        raise DurabaseError(f"{text!r} is not of the form CLASS/NAME.")
    return Which(class_name, name)


def _labelled(file: Path) -> Which:
    label = read_label(file)
    return Which(label.class_name, label.name, label.id.hex())


def _every(admin: AdminClient) -> Iterator[tuple[Which, int | None]]:
    """All that keep something, with the size of their files."""
    cursor: str | None = None
    while True:
        page: Any = json.loads(admin.ask(Asked("GET", "/objects", {"limit": "1000", "cursor": cursor})))
        for each in page["objects"]:
            if each["has_stored_data"]:
                yield Which(each["class"], each["name"], each["id"]), each["file_bytes"]
        cursor = page["cursor"]
        if cursor is None:
            return


def _file_name(which: Which) -> str:
    name = None if which.name is None else quote(which.name, safe=" ")
    if not name or len(name) > LONGEST_NAME or name[0] == "." or _LOOKS_LIKE_AN_ID.fullmatch(name):
        name = which.id or "object"
    return name + _SUFFIX


def _fetch(
    admin: AdminClient, which: Which, file: Path, progress: Progress, whole: int | None = None
) -> None:
    """Let the file be there as a whole, or as it was."""
    part, size = file.with_name(f"{file.name}.part"), 0
    try:
        with part.open("wb") as target:
            for chunk in admin.chunks(Asked("GET", "/object/copy", which.query)):
                target.write(chunk)
                size += len(chunk)
                progress.at(which, size, whole)
            target.flush()
            os.fsync(target.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    progress.done(which, "backed up", file)


def send(admin: AdminClient, which: Which, file: Path, progress: Progress, *, replace: bool) -> None:
    """Have the object keep what this copy has.

    Raises:
        DurabaseError: it does not; it keeps what it kept.
    """
    token, size, whole = token_hex(16), 0, file.stat().st_size
    with file.open("rb") as source:
        while piece := source.read(PIECE_BYTES):
            admin.ask(Asked("PUT", "/object/upload", which.query | {"upload": token}, piece))
            size += len(piece)
            progress.at(which, size, whole)
    query = which.query | {"upload": token, "replace": "yes" if replace else None}
    admin.ask(Asked("POST", "/object/restore", query))
