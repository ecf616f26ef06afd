"""An object's past for administrators: who changed what, what going back would change, and going back."""

from __future__ import annotations

import json
import shutil
import sqlite3
from asyncio import get_running_loop
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from durabase.durable_objects import DurableObjectId, ObjectHost
from durabase.durable_objects.hosted import ClassHost
from durabase.durable_objects.storage.change_journal import Change, JournalRow, path_of, read_journal
from durabase.durable_objects.storage.comparison import Comparison, compared
from durabase.errors import DurabaseError, StorageError, StorageFileError
from durabase.operations.values import plain
from durabase.types import JSON_PREFIX, UNDEFINED, UNDEFINED_MARK
from durabase.web.structured_clone import decode_value

if TYPE_CHECKING:
    from durabase.operations.objects import ObjectOperations

__all__ = ["MAX_COMPARED", "ObjectPast"]

MAX_LISTED: Final = 1000
MAX_SCANNED: Final = 5_000
"""So many entries are looked through for one answer."""
MAX_COMPARED: Final = 1000

Json: TypeAlias = dict[str, Any]


class ObjectPast:
    """The past of the objects of one host.

    Args:
        objects: the operations on them.
        host: where they live.
    """

    def __init__(self, objects: ObjectOperations, host: ObjectHost) -> None:
        self._objects = objects
        self._host = host

    async def about(self, class_name: str, id: DurableObjectId) -> Json:
        """Whether a history is kept, since when it goes back, and the bookmark of now. Starts the object."""

        def look(instance: Any, ctx: Any) -> Json:
            try:
                kept = ctx.storage._bookmarks()
            except StorageError:  # of this class, or by this server, none is kept
                return {"kept": False, "since": None, "bookmark": None}
            return {"kept": True, "since": kept.since(), "bookmark": kept.current()}

        self._objects.hosted(class_name, id)
        found: Json = await self._objects.run(class_name, id, look, gone=True)
        return found

    async def changes(
        self,
        class_name: str,
        id: DurableObjectId,
        *,
        of: Sequence[str] = (),
        before: int | None = None,
        limit: int = 100,
    ) -> Json:
        """Who changed what, the newest first, of what is committed. The object is left alone.

        Args:
            of: only of this: ``cell`` with a table, or also a row, or also a cell; ``value`` or ``key`` with
                its id.
            before: what the last answer gave as ``cursor``.
            limit: how many at most, up to 1,000.

        Raises:
            StorageFileError: the object's file can't be read.
        """
        hosted = self._objects.hosted(class_name, id)
        read = partial(_read, hosted, id, tuple(of), before, min(limit, MAX_LISTED))
        found: Json = await self._host.loop.run_in_executor(None, read)
        return found

    async def everything(self, class_name: str, id: DurableObjectId) -> list[Json]:
        """All that :meth:`changes` can tell."""
        entries: list[Json] = []
        cursor = None
        while True:
            page = await self.changes(class_name, id, before=cursor, limit=MAX_LISTED)
            entries += page["entries"]
            cursor = page["cursor"]
            if cursor is None:
                return entries

    async def preview(self, class_name: str, id: DurableObjectId, to: int | str) -> Json:
        """What :meth:`rewind` would change. Starts the object.

        Raises:
            StorageError: there is no such bookmark, or the history does not go back so far.
        """
        file = self._objects.hosted(class_name, id).file_of(id)

        async def look(instance: Any, ctx: Any) -> Json:
            kept = ctx.storage._bookmarks()
            bookmark = to if isinstance(to, str) else kept.at(to)
            await ctx.storage.sync()
            compare = partial(_compared, file, bookmark, kept.image)
            time_ms, found = await get_running_loop().run_in_executor(None, compare)
            return {"time": time_ms, "bookmark": bookmark} | _described(found)

        result: Json = await self._objects.run(class_name, id, look, gone=True)
        return result

    async def rewind(self, class_name: str, id: DurableObjectId, to: int | str) -> Json:
        """Have the object begin anew with what it kept at a time, or at a bookmark; also if it is gone.

        The result has the bookmark to ``undo`` that, and the ``problem`` if the new life could not begin.

        Raises:
            StorageError: there is no such bookmark, or the history does not go back so far.
        """

        def go_back(instance: Any, ctx: Any) -> str:
            kept = ctx.storage._bookmarks()
            undo: str = kept.restore_next(to if isinstance(to, str) else kept.at(to))
            return undo

        self._objects.hosted(class_name, id)
        undo: str = await self._objects.run(class_name, id, go_back, gone=True)
        self._objects.abort(class_name, id, "Durable Object was reset because it goes back in time.")
        try:
            await self._objects.run(class_name, id, _do_nothing, gone=True)
        except DurabaseError as error:
            return {"undo": undo, "problem": str(error)}
        return {"undo": undo, "problem": None}


def _do_nothing(instance: Any, ctx: Any) -> None:
    """The life has begun."""


def _read(
    hosted: ClassHost, id: DurableObjectId, of: tuple[str, ...], before: int | None, limit: int
) -> Json:
    keep_ms = hosted.history_ms
    since_ms = 0 if keep_ms is None else hosted.clock.now_ms() - keep_ms
    entries: list[Json] = []
    cursor = None
    try:
        for count, row in enumerate(read_journal(hosted.file_of(id), since_ms, before)):
            if len(entries) >= limit or count >= MAX_SCANNED:
                cursor = row.number + 1
                break
            changes = [change for change in row.changes if not of or path_of(change)[: len(of)] == of]
            if changes:
                entries.append(_entry(row, changes))
    except sqlite3.Error as error:
        raise StorageFileError(f"the object's file can't be read: {error}") from error
    return {"entries": entries, "cursor": cursor}


def _entry(row: JournalRow, changes: list[Change]) -> Json:
    return {
        "number": row.number,
        "time": row.time_ms,
        "span": row.span_ms,
        "author": json.loads(row.author),
        "changes": [_shown(change) for change in changes],
    }


def _shown(change: Change) -> Json:
    return {name: _value(each) if name in ("old", "new") else each for name, each in change.items()}


def _value(value: Any) -> Any:
    """What is told of a value: of an entry its stored form, of a store that with encoded objects."""
    if isinstance(value, bytes):
        value = decode_value(value)
        if isinstance(value, list):  # a store's stamp of what is deleted, as JSON has that there
            value = [UNDEFINED_MARK if each is UNDEFINED else each for each in value]
        return plain(value)
    if isinstance(value, str) and value.startswith(JSON_PREFIX):
        return json.loads(value[len(JSON_PREFIX) :])
    return value


def _compared(
    file: Path, bookmark: str, image: Callable[[str, Path], int | None]
) -> tuple[int | None, Comparison]:
    folder = Path(mkdtemp(prefix="past-", dir=file.parent.parent))
    try:
        time_ms = image(bookmark, folder / "image")
        return time_ms, compared(file, folder / "image", MAX_COMPARED)
    except sqlite3.Error as error:
        raise StorageFileError(f"the object's file can't be read: {error}") from error
    finally:
        shutil.rmtree(folder)


def _described(found: Comparison) -> Json:
    return {
        "keys": found.keys,
        "changes": [_shown(change) for change in found.changes],
        "tables": {name: asdict(each) for name, each in found.tables.items()},
        "alarm": None if found.alarm[0] == found.alarm[1] else {"old": found.alarm[0], "new": found.alarm[1]},
    }
