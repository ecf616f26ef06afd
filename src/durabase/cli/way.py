"""The way to a server, gone as its clients go it, through whatever is in front of it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlsplit

from durabase.cli.admin_client import Asked, RemoteAdmin
from durabase.errors import DurabaseError
from durabase.operations.checkup import Finding, judge_clock, judge_socket
from durabase.operations.passage import PRETENDED, Arrived, judge_bodies, judge_passage, judge_path

__all__ = ["go"]

_CONNECT_SECONDS: Final = 10.0
_ARRIVAL_SECONDS: Final = 3.0
_BODY_SECONDS: Final = 2.0
_BODY_BYTES: Final = 32 << 20
_PING_OPCODE: Final = 9
_KIND: Final = {"ws": "http", "wss": "https"}
_MARK: Final = "x-durabase-doctor"
_SLASH: Final = "%2Fdoctor"
_REQUESTS: Final = 2


def go(url: str, patience: float, admin: RemoteAdmin | None) -> Iterator[Finding]:
    """Try the way to ``url``, at which WebSockets are accepted.

    Args:
        url: of the kind ``ws``, ``wss``, ``http`` or ``https``.
        patience: how many seconds an idle socket waits for its ping.
        admin: tells what arrives at the server, if it is known.
    """
    try:
        yield from _Way(url).findings(patience, admin)
    except (OSError, http.client.HTTPException) as error:
        yield Finding("Server", "fail", f"{url} does not answer: {error}", "is it started? is it that URL?")


class _Way:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._scheme = _KIND.get(parts.scheme, parts.scheme)
        self._host = parts.netloc
        self._path = parts.path or "/"
        self._query = f"?{parts.query}" if parts.query else ""
        self._mark = secrets.token_hex(16)

    def findings(self, patience: float, admin: RemoteAdmin | None) -> Iterator[Finding]:
        with closing(self._connection()) as connection:
            connection.request("HEAD", "/")
            head = connection.getresponse()
            head.read()
        if (date := head.headers.get("date")) is not None:
            yield judge_clock(parsedate_to_datetime(date).timestamp() - time.time())
        yield from self._passage(admin, head.headers.get("via") or head.headers.get("server"))
        yield judge_bodies(self._announced(), _BODY_BYTES)
        with closing(self._connection()) as connection:
            answer = self._upgraded(connection)
            opened = answer.status == http.client.SWITCHING_PROTOCOLS
            begun = time.monotonic()
            idle = _idle(answer, connection, patience) if opened else None
            yield judge_socket(answer.status, idle, time.monotonic() - begun)

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._scheme == "https" else http.client.HTTPConnection
        return kind(self._host, timeout=_CONNECT_SECONDS)

    def _upgraded(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        headers = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Extensions": "permessage-deflate",
            "X-Forwarded-For": PRETENDED,
            _MARK: self._mark,
        }
        connection.request("GET", self._path + self._query, headers=headers)
        return connection.getresponse()

    def _passage(self, admin: RemoteAdmin | None, proxy: str | None) -> Iterator[Finding]:
        """What the server says about an upgrade, and about a path that proxies like to tidy up."""
        if admin is None:
            remedy = "serve with --admin; name its address here, --admin URL, if it is on another machine"
            yield Finding("Headers", "warn", "what arrives at the server can't be seen", remedy)
            return
        try:
            arrived, is_compressed = self._arrived(admin)
            if len(arrived) < _REQUESTS:  # perhaps one was quicker than what should tell of it
                arrived, is_compressed = self._arrived(admin)
        except DurabaseError as error:
            yield Finding("Headers", "warn", str(error), "is it the admin address of this server?")
            return
        if "GET" not in arrived:
            text = "nothing arrives at the server whose admin address is known"
            yield Finding("Headers", "warn", text, "is it the one that the URL leads to?")
            return
        url = f"{self._scheme}://{self._host}{self._path}"
        yield from judge_passage(url, arrived["GET"], proxy, is_compressed)
        if "HEAD" in arrived:
            yield judge_path(self._path + _SLASH, urlsplit(arrived["HEAD"].url).path)

    def _arrived(self, admin: RemoteAdmin) -> tuple[dict[str, Arrived], bool]:
        """What arrives of requests, by their methods, and whether messages would be compressed."""
        followed = admin.lines(Asked("GET", "/tail", {"search": self._mark}), _ARRIVAL_SECONDS)
        with closing(followed) as records:
            next(records)  # it follows from now on
            with closing(self._connection()) as connection:
                extensions = self._upgraded(connection).headers.get("sec-websocket-extensions") or ""
            with closing(self._connection()) as connection:
                target = self._path + _SLASH + self._query
                connection.request("HEAD", target, headers={_MARK: self._mark})
                connection.getresponse().read()
            return _arrivals(records), "permessage-deflate" in extensions

    def _announced(self) -> int | None:
        """The answer to a request that announces a large body, and does not send it."""
        with closing(self._connection()) as connection:
            connection.putrequest("OPTIONS", self._path)
            connection.putheader("Content-Length", str(_BODY_BYTES))
            connection.putheader("Expect", "100-continue")
            connection.endheaders()
            if connection.sock is None:
                return None
            connection.sock.settimeout(_BODY_SECONDS)
            try:
                words = connection.sock.recv(64).split()
            except TimeoutError:
                return None
            return int(words[1]) if len(words) > 1 else None


def _arrivals(records: Iterator[bytes]) -> dict[str, Arrived]:
    """The requests that entrypoints have handled, by their methods; those that came, if not all did."""
    found: dict[str, Arrived] = {}
    for line in records:
        if not line.strip():
            continue  # of another process, which is followed from now on, too
        record = json.loads(line)
        if record["type"] != "event" or record["executionModel"] != "stateless":
            continue
        request = record["event"]["request"]
        headers = {name.lower(): value for name, value in request["headers"].items()}
        found[request["method"]] = Arrived(request["url"], headers)
        if len(found) == _REQUESTS:
            break
    return found


def _idle(
    answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, patience: float
) -> Literal["pinged", "cut", "silent"]:
    """What comes to a socket that says nothing: frames of the program are skipped."""
    deadline = time.monotonic() + patience
    stream = answer.fp
    try:
        while (left := deadline - time.monotonic()) > 0:
            if connection.sock is not None:
                connection.sock.settimeout(left)
            head = stream.read(2)
            if len(head) < 2:
                return "cut"
            if head[0] & 15 == _PING_OPCODE:
                return "pinged"
            length = head[1] & 127
            if length > 125:
                length = int.from_bytes(stream.read(2 if length == 126 else 8))
            stream.read(length)
    except TimeoutError:
        pass
    except OSError:
        return "cut"
    return "silent"
