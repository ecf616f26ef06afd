"""The sockets of a room that is an object: whose each is, at which path, and what is kept with it over sleep.

The client's id and the path are tags; a path that is too long for one is attached. A socket that somebody was
asked about carries a mark among its tags, and its entry as its attachment; without the entry, a marked socket
may do nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from durabase._codec import utf8_length
from durabase.sync_server._fetch import MESSAGE_BYTES
from durabase.sync_server.access import ANYBODY, Access, Level
from durabase.types import Id
from durabase.web import WebSocket

__all__ = ["Entry", "RoomSockets"]

_MAX_TAG_BYTES: Final = 256
_MARK: Final = "\nguarded"  # no path has a line feed


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a socket: its access, the session it belongs to, and where it came from."""

    access: Access
    session: str = ""
    address: str = ""


@final
class RoomSockets:
    """The sockets that an object has.

    Args:
        ctx: the object's.
        all_marked: whether all of them have to have an entry.
    """

    __slots__ = ("_all_marked", "_ctx")

    def __init__(self, ctx: Any, all_marked: bool) -> None:
        self._ctx = ctx
        self._all_marked = all_marked

    def all(self) -> list[WebSocket]:
        """In order of coming."""
        sockets: list[WebSocket] = self._ctx.get_web_sockets()
        return sockets[::-1]  # without a tag they are given newest first

    def accept(self, socket: WebSocket, client_id: Id, path_id: Id, entry: Entry | None) -> None:
        """Take a socket in.

        Raises:
            ValueError: the entry takes more than can be attached.
        """
        socket.connection.message_bytes = MESSAGE_BYTES
        name = self._ctx.id.name
        if name == path_id:
            path_id = name  # one text for all of them
        is_tag = utf8_length(path_id) <= _MAX_TAG_BYTES
        tags = [client_id, path_id] if is_tag else [client_id]
        path = None if is_tag or name == path_id else path_id
        if entry is not None:
            _attach(socket, entry, path)
            tags.append(_MARK)
        self._ctx.accept_web_socket(socket, tags)
        if entry is None and path is not None:
            socket.serialize_attachment(path)

    def client_id(self, socket: WebSocket) -> Id:
        """Whose it is."""
        client_id: Id = self._ctx.get_tags(socket)[0]
        return client_id

    def path_id(self, socket: WebSocket) -> Id:
        """The path that it was opened at."""
        tags: list[str] = [tag for tag in self._ctx.get_tags(socket) if tag != _MARK]
        if len(tags) > 1:
            return tags[1]
        attached = socket.deserialize_attachment()
        if isinstance(attached, Mapping):
            attached = attached.get("path")
        return attached if isinstance(attached, str) else str(self._ctx.id.name)

    def entry(self, socket: WebSocket) -> Entry | None:
        """What is known of it; ``None`` if nobody was asked."""
        if not (self._all_marked or _MARK in self._ctx.get_tags(socket)):
            return None
        found = socket.deserialize_attachment()
        if not (isinstance(found, Mapping) and "access" in found):
            return Entry(Access(Level.NONE))
        return Entry(Access.from_json(found["access"]), found["session"], found["address"])

    def access(self, socket: WebSocket) -> Access:
        """What it may do."""
        entry = self.entry(socket)
        return ANYBODY if entry is None else entry.access

    def renew(self, socket: WebSocket, entry: Entry, access: Access) -> None:
        """Give a socket with an entry another access."""
        path = socket.deserialize_attachment()["path"]
        _attach(socket, Entry(access, entry.session, entry.address), path)


def _attach(socket: WebSocket, entry: Entry, path: Id | None) -> None:
    """``path`` is attached along, if it has no other place."""
    known = {"session": entry.session, "address": entry.address, "access": entry.access.to_json()}
    socket.serialize_attachment({"path": path, **known})
