"""Asking for administration: a server that runs, or else its state directory itself."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
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

__all__ = ["AdminClient", "Asked", "LocalAdmin", "RemoteAdmin", "find_admin", "running_admin"]

_SECONDS = 60.0
_PIECE_BYTES = 1 << 20


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
    """Somebody who can be asked, as long as it is entered."""

    def __enter__(self) -> AdminClient: ...

    def __exit__(self, *error: object) -> None: ...

    def ask(self, asked: Asked) -> bytes:
        """The answer.

        Raises:
            DurabaseError: why there is none.
        """

    def chunks(self, asked: Asked) -> Iterator[bytes]:
        """The answer in pieces.

        Raises:
            DurabaseError: why there is none.
        """


class RemoteAdmin:
    """A server that runs, by its admin address."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = urlsplit(url)
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def __enter__(self) -> RemoteAdmin:
        return self

    def __exit__(self, *error: object) -> None:
        pass  # each request has a connection of its own

    def ask(self, asked: Asked) -> bytes:
        """The answer.

        Raises:
            DurabaseError: the server is not there, or refuses.
        """
        with closing(self._connection(_SECONDS)) as connection:
            return _checked(*self._asked(connection, asked, lambda response: response.read()))

    def lines(self, asked: Asked, patience: float | None = None) -> Generator[bytes, None, None]:
        """The lines of an answer that goes on, as they come, until none has come for ``patience`` seconds.

        Raises:
            DurabaseError: the server is not there, or refuses.
        """
        with closing(self._connection(patience)) as connection:
            status, response = self._asked(connection, asked, lambda response: response)
            if status != 200:
                _checked(status, response.read())
            try:
                while line := response.readline():
                    yield line
            except TimeoutError:
                return

    def chunks(self, asked: Asked) -> Iterator[bytes]:
        """The answer in pieces.

        Raises:
            DurabaseError: the server is not there, or refuses, or has ended meanwhile.
        """
        with closing(self._connection(None)) as connection:
            status, response = self._asked(connection, asked, lambda response: response)
            if status != 200:
                _checked(status, response.read())
            try:
                while chunk := response.read(_PIECE_BYTES):
                    yield chunk
            except (OSError, http.client.HTTPException) as error:
                raise DurabaseError(f"{self._url.geturl()} has ended its answer early: {error}") from error

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
    """A state directory that no server uses: ``with`` it, the directory is used by us."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._open = ExitStack()
        self._runner: asyncio.Runner
        self._app: AdminApp

    def __enter__(self) -> LocalAdmin:
        with ExitStack() as opening:
            self._runner = opening.enter_context(asyncio.Runner())
            project = self._project
            host = offline_host(project.state_dir, [project.config, *project.others])
            self._app = AdminApp(ObjectOperations(self._runner.run(host.__aenter__())))
            opening.callback(lambda: self._runner.run(host.__aexit__(None, None, None)))
            opening.callback(self._app.close)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def ask(self, asked: Asked) -> bytes:
        """The answer.

        Raises:
            DurabaseError: it is refused.
        """
        return b"".join(self.chunks(asked))

    def chunks(self, asked: Asked) -> Iterator[bytes]:
        """The answer in pieces.

        Raises:
            DurabaseError: it is refused.
        """
        request = Request(f"http://localhost{asked.target}", method=asked.method, body=asked.body)
        response = self._runner.run(self._app.fetch(request))
        if response.status >= 400:
            _checked(response.status, self._runner.run(response.bytes()))
        pieces = response.iter_body()
        while (piece := self._runner.run(_next(pieces))) is not None:
            yield piece


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


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


def running_admin(state_dir: Path, url: str | None) -> RemoteAdmin | None:
    """The server at ``url``, or that which uses the state directory; ``None`` if none is known."""
    found = url or _address_in(state_dir)
    return None if found is None else RemoteAdmin(found, admin_token())


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
