"""Copies of objects for administrators: sent as files while the objects run, and taken in again."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Final

from durabase.durable_objects import DurableObjectId, ObjectHost
from durabase.durable_objects.inspection import status_of
from durabase.durable_objects.storage.object_copy import read_label
from durabase.errors import NoSuchObjectError, StorageError
from durabase.web import Request

__all__ = ["ObjectCopies"]

CHUNK_BYTES: Final = 1 << 20

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")


class ObjectCopies:
    """Makes copies and restores them.

    What comes in may be larger than one request: it comes as several, under a token that the sender has made
    up, into a file beside the objects.

    Args:
        host: where the objects live.
    """

    def __init__(self, host: ObjectHost) -> None:
        self._host = host
        self._folder: Path | None = None

    async def send(self, class_name: str, id: DurableObjectId) -> AsyncIterator[bytes]:
        """What the object keeps, as a file.

        Raises:
            NoSuchObjectError: it keeps nothing.
            StorageFileError: what it keeps is damaged.
        """
        hosted = self._host.classes[class_name]
        status = status_of(hosted, id)
        if status is None or not status.keeps_data:
            raise NoSuchObjectError(f"{class_name} {id.name or id} keeps nothing.")
        path = Path(mkdtemp(dir=self._place())) / "copy"
        try:
            await hosted.copy(status.id, path)
            file = path.open("rb")
        finally:
            shutil.rmtree(path.parent)  # the open file stays until it is read
        return _chunks(file)

    async def receive(self, token: str, request: Request) -> None:
        """One more piece of a file that is to be restored.

        Raises:
            ValueError: the token is none.
        """
        with self._upload(token).open("ab") as file:
            async for chunk in request.iter_body():
                file.write(chunk)

    async def restore(
        self, class_name: str, id: DurableObjectId, token: str, *, replace: bool = False
    ) -> None:
        """Have the object keep what has come under the token, and nothing else.

        Raises:
            StorageError: it keeps something already and is not to be replaced, or the file is none for it.
        """
        copy = self._upload(token)
        try:
            await self._restore(class_name, id, copy, replace=replace)
        finally:
            copy.unlink(missing_ok=True)

    async def _restore(self, class_name: str, id: DurableObjectId, copy: Path, *, replace: bool) -> None:
        hosted = self._host.classes[class_name]
        label = await self._host.loop.run_in_executor(None, read_label, copy)
        known = status_of(hosted, id)
        if known is not None and known.keeps_data and not replace:
            raise StorageError(f"{class_name} {id.name or id} keeps something already: delete or replace it.")
        if label.has_tables and hosted.storage == "kv":
            raise StorageError("The copy has tables; this class keeps keys and values only.")
        name = id.name if id.name is not None or label.id != id.key else label.name
        await hosted.restore(DurableObjectId(id.key, name), copy)

    def close(self) -> None:
        """Forget what has come and was not restored."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _upload(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise ValueError("`upload` has to be 32 hexadecimal digits")
        return self._place() / token

    def _place(self) -> Path:
        if self._folder is None:
            self._folder = Path(mkdtemp(prefix="copies-", dir=self._host.state_dir))
        return self._folder


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
