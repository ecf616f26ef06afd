"""Asking for administration: a server that runs, or else its state directory itself."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

from durabase.cli.monitor import ADDRESS_FILE, admin_token
from durabase.cli.project import Project
from durabase.durable_objects.storage.lock import FolderLock
from durabase.errors import DurabaseError, StorageError
from durabase.operations.admin import AdminApp
from durabase.operations.objects import ObjectOperations
from durabase.operations.offline import offline_host
from durabase.web import Request

__all__ = ["AdminClient", "Asked", "LocalAdmin", "RemoteAdmin", "find_admin"]

_SECONDS = 60.0


class Asked(NamedTuple):
    """A request: ``query`` without the parameters that are ``None``."""

    method: str
    path: str
    query: Mapping[str, str | list[str] | None] = {}
    body: bytes | None = None

    @property
    def target(self) -> str:
        """Path and query."""
        given = {name: value for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(given, doseq=True)}" if given else self.path


class AdminClient(Protocol):
    """Somebody who can be asked."""

    def ask(self, asked: Asked) -> bytes:
        """The answer.

        Raises:
            DurabaseError: why there is none.
        """


class RemoteAdmin:
    """A server that runs, by its admin address."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = urlsplit(url)
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def ask(self, asked: Asked) -> bytes:
        """The answer.

        Raises:
            DurabaseError: the server is not there, or refuses.
        """
        with closing(self._connection(_SECONDS)) as connection:
            return _checked(*self._asked(connection, asked, lambda response: response.read()))

    def lines(self, asked: Asked) -> Iterator[bytes]:
        """The lines of an answer that goes on, as they come.

        Raises:
            DurabaseError: the server is not there, or refuses.
        """
        with closing(self._connection(None)) as connection:
            status, response = self._asked(connection, asked, lambda response: response)
            if status != 200:
                _checked(status, response.read())
            while line := response.readline():
                yield line

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(self._url.netloc, timeout=timeout)

    def _asked(self, connection: http.client.HTTPConnection, asked: Asked, read: Any) -> tuple[int, Any]:
        try:
            connection.request(asked.method, asked.target, asked.body, self._headers)
            response = connection.getresponse()
            return response.status, read(response)
        except (OSError, http.client.HTTPException) as error:
            raise DurabaseError(f"{self._url.geturl()} does not answer: {error}") from error


class LocalAdmin:
    """A state directory that no server uses."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def ask(self, asked: Asked) -> bytes:
        """The answer.

        Raises:
            DurabaseError: it is refused.
        """
        return _checked(*asyncio.run(self._asked(asked)))

    async def _asked(self, asked: Asked) -> tuple[int, bytes]:
        project = self._project
        async with offline_host(project.state_dir, [project.config, *project.others]) as host:
            request = Request(f"http://localhost{asked.target}", method=asked.method, body=asked.body)
            response = await AdminApp(ObjectOperations(host)).fetch(request)
            return response.status, await response.bytes()


def find_admin(project: Project, url: str | None) -> AdminClient:
    """Who administers the project's objects: the server at ``url``, or that which runs, or nobody but us.

    Raises:
        DurabaseError: a server runs that has no admin address, or there is no data.
    """
    if url is not None:
        return RemoteAdmin(url, admin_token())
    if not project.state_dir.is_dir():
        raise DurabaseError(f"There are no objects in {project.state_dir} yet.")
    if not _is_in_use(project.state_dir):
        return LocalAdmin(project)
    found = _address_in(project.state_dir)
    if found is None:
        raise DurabaseError(
            f"A server uses {project.state_dir} and has no admin address: "
            "start it with --admin 8788, or stop it."
        )
    return RemoteAdmin(found, admin_token())


def _is_in_use(folder: Path) -> bool:
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except StorageError:
        return True
    lock.release()
    return False


def _address_in(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8"))["url"])
    except FileNotFoundError:
        return None


def _checked(status: int, body: bytes) -> bytes:
    if status < 400:
        return body
    try:
        text = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        text = body.decode("utf-8", "replace").strip()
    raise DurabaseError(text)
