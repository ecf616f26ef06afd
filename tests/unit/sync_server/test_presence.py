from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.sync_server.access import Access
from durabase.sync_server.authority import Authority
from durabase.sync_server.presence import (
    MAX_CELLS,
    MAX_ID_BYTES,
    MAX_ROWS,
    MAX_TABLES,
    MAX_THING_BYTES,
    Presence,
    client_name,
    fault_of_id,
    is_presence,
    presence_fetch,
)
from durabase.sync_server.ws_server import WsServer
from durabase.testing import FakeClock
from durabase.web import Request, Response

NOW = 1_700_000_000_000


class Lobby:
    """A room of presence, with those that are there by name."""

    def __init__(self, *ids: str) -> None:
        self.clock = FakeClock(NOW)
        self.names = [client_name(f"key-{id_}", f"/presence?id={id_}") for id_ in ids]
        self.presence = Presence(self.clock, 5, lambda: self.names)
        self.store = self.presence.store
        self.refused: list[str] = []
        self._authority = Authority(
            self.presence.validate, lambda proposal: self.refused.extend(proposal.refused.values()), self.fail
        )

    def fail(self, error: Exception) -> None:
        raise error

    def write(
        self, id_: str | None, tables: dict[str, Any], values: dict[str, Any] | None = None
    ) -> list[str]:
        """Have a client write tables; why what was refused."""
        client = MergeableStore(clock=self.clock)
        client.set_tables(tables)
        if values:
            client.set_values(values)
        return self.send(id_, client)

    def send(self, id_: str | None, client: MergeableStore) -> list[str]:
        self.clock.advance(1)
        name = "key" if id_ is None else client_name(f"key-{id_}", f"/?id={id_}")
        self._authority.merge(self.store, name, client._get_encoded_mergeable_content())
        refused, self.refused = self.refused, []
        return refused

    def leave(self, id_: str) -> None:
        self.names.remove(f"key-{id_} {id_}")
        self.presence.client_left()


def test_the_id_is_told_by_the_query() -> None:
    assert client_name("key", "/a/presence") == "key"
    assert client_name("key", "/a/presence?id=ada%20l&x=1") == "key ada l"
    assert client_name("key", "/a/presence?id=") == "key"
    assert fault_of_id("/presence") is None
    assert fault_of_id("http://h/presence?id=ada") is None
    for bad in ("", "a%0Ab", "x" * (MAX_ID_BYTES + 1)):
        assert fault_of_id(f"/presence?id={bad}") is not None


def test_the_last_part_of_the_path_says_what_it_is() -> None:
    assert all(map(is_presence, ("presence", "a/presence", "/a/presence")))
    assert not any(map(is_presence, ("presence/a", "xpresence", "a", "")))


def test_each_writes_the_rows_of_its_id() -> None:
    lobby = Lobby("ada", "bob")
    assert lobby.write("ada", {"who": {"ada": {"x": 1}}, "cursors": {"ada": {"x": 1}}}) == []
    assert lobby.write("bob", {"who": {"ada": {"x": 2}, "bob": {"x": 2}}}) == ["it is somebody else's"]
    assert lobby.write(None, {"who": {"eve": {"x": 3}}}) == ["who has no id writes nothing"]
    assert lobby.write("ada", {}, {"v": 1}) == ["presence is rows, not values"]
    assert lobby.store.get_content() == [
        {"who": {"ada": {"x": 1}, "bob": {"x": 2}}, "cursors": {"ada": {"x": 1}}},
        {},
    ]


def test_rows_go_when_their_client_has_been_away_for_a_while() -> None:
    lobby = Lobby("ada", "bob", "eve")
    for id_ in ("ada", "bob", "eve"):
        lobby.write(id_, {"who": {id_: {"x": 1}}, "cursors": {id_: {"x": 1}}})
    lobby.leave("ada")
    lobby.clock.advance(3000)
    lobby.leave("bob")
    lobby.clock.advance(1999)
    assert lobby.store.get_row_ids("who") == ["ada", "bob", "eve"]
    lobby.clock.advance(1)
    assert lobby.store.get_row_ids("who") == lobby.store.get_row_ids("cursors") == ["bob", "eve"]
    lobby.clock.advance(3000)
    assert lobby.store.get_row_ids("who") == ["eve"]
    assert not lobby.clock.run_next(2 * NOW)  # nothing waits


def test_who_comes_back_in_time_keeps_its_rows() -> None:
    lobby = Lobby("ada")
    lobby.write("ada", {"who": {"ada": {"x": 1}}})
    lobby.leave("ada")
    lobby.clock.advance(4000)
    lobby.names.append("other-key ada")
    lobby.clock.advance(4000)
    assert lobby.store.get_row_ids("who") == ["ada"]
    assert not lobby.clock.run_next(2 * NOW)  # nothing waits


def test_rows_of_others_come_back_with_whoever_has_them() -> None:
    lobby = Lobby("ada", "bob")  # the memory of the server is new, its clients are not
    everything = {"who": {"ada": {"x": 1}, "bob": {"x": 1}, "gone": {"x": 1}}}
    assert lobby.write("ada", everything) == []
    assert lobby.store.get_tables() == everything
    lobby.clock.advance(6000)
    assert lobby.store.get_row_ids("who") == ["ada", "bob"]


def test_there_are_limits() -> None:
    lobby = Lobby("ada")
    long = "x" * MAX_THING_BYTES
    assert lobby.write("ada", {"who": {"ada": {"x": long}}}) == [f"a cell takes {MAX_THING_BYTES} bytes"]
    row = {f"c{number}": number for number in range(MAX_CELLS + 2)}
    assert lobby.write("ada", {"who": {"ada": row}}) == [f"a row has {MAX_CELLS} cells"] * 2
    tables = {f"t{number}": {"ada": {"x": 1}} for number in range(MAX_TABLES)}
    assert lobby.write("ada", tables) == [f"there are {MAX_TABLES} tables"]
    rows = {f"r{number}": {"x": 1} for number in range(MAX_ROWS)}
    assert lobby.write("ada", {"who": rows}) == [f"there are {MAX_ROWS} rows"]
    assert lobby.store.get_row_count("who") == MAX_ROWS


@pytest.mark.parametrize("id_", ["ada", None])
def test_what_is_gone_can_be_deleted_again(id_: str | None) -> None:
    lobby = Lobby("ada")
    lobby.write("ada", {"who": {"ada": {"x": 1}}})
    copy = MergeableStore(clock=lobby.clock)
    copy._apply_encoded_mergeable_changes(lobby.store._get_encoded_mergeable_content())
    copy.del_row("who", "ada")
    assert lobby.send(id_, copy) == ([] if id_ else ["who has no id writes nothing"])
    assert lobby.store.has_row("who", "ada") == (id_ is None)


def upgrade(path: str) -> Request:
    return Request(f"http://h{path}", headers={"upgrade": "websocket", "sec-websocket-key": "k"})


def test_only_clients_are_led_to_rooms_of_presence_and_only_those_that_may_be_there() -> None:
    reached: list[tuple[str, str]] = []

    class Namespace:
        def id_from_name(self, name: str) -> str:
            return name

        def get(self, name: str) -> Any:
            async def fetch(request: Request) -> Response:
                reached.append((request.method, name))
                return Response()

            return SimpleNamespace(fetch=fetch)

    async def otherwise(_self: Any, _request: Request) -> Response:
        return Response(status=418)

    def authorize(request: Request, path_id: str) -> Access | None:
        return Access("read") if path_id.startswith("open/") else None

    worker = SimpleNamespace(env=SimpleNamespace(P=Namespace()))
    fetch = presence_fetch("P", otherwise, authorize)

    def status(request: Request) -> int:
        return asyncio.run(fetch(worker, request)).status

    assert status(upgrade("/open/presence")) == 200
    assert status(upgrade("/closed/presence")) == 401
    assert status(Request("http://h/open/presence?session=s", method="POST")) == 200
    assert status(upgrade("/open/room")) == 418
    assert status(Request("http://h/api/rooms/room/tables/presence")) == 418  # a table of this name
    assert reached == [("GET", "open/presence"), ("POST", "open/presence")]


def test_what_comes_by_http_writes_nothing() -> None:
    async def test() -> None:
        server = WsServer(presence=True, rest="/api", clock=FakeClock(NOW))
        url = "http://h/api/rooms/a%2Fpresence/tables/who/rows/ada"
        headers = {"content-type": "application/json"}
        refused = await server.fetch(Request(url, method="PUT", headers=headers, body='{"x": 1}'))
        assert (refused.status, b"who has no id" in (refused.body_bytes() or b"")) == (422, True)
        assert (await server.fetch(Request(url))).status == 404
        await server.destroy()

    asyncio.run(test())
