"""Rooms that ask who comes: forged tokens, readers that write, floods; over sleep and restart."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from durabase.clock import SystemClock
from durabase.sync_server import RoomTokens
from durabase.synchronizers.protocol.payloads import encode_payloads
from e2e._server import Server
from hostile._peer import DIFF, HASHES, Peer, cells_diff, now, text, values_diff
from hostile._project import write_project
from hostile._wire import ask, new_key

KEYS = {"new": "n" * 32, "old": "o" * 32}
PROGRAM = f"""
from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import (
    Allowance, ClientLimits, RoomTokens, Rules, WsServerDurableObject, authorize_by_token, ws_server_fetch
)
from durabase.workers import WorkerEntrypoint

class TinyBaseDurableObject(WsServerDurableObject):
    rules = Rules(
        {{"tables": {{"config": {{"write": "admin"}}}}, "values": {{"title": {{"write": "admin"}}}}}}
    )
    limits = ClientLimits(
        connection=Allowance(messages_per_second=50, burst_seconds=4), identity=Allowance(connections=5)
    )

    def create_persister(self):
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects", authorize_by_token(RoomTokens({KEYS!r})))
"""
TOKENS = RoomTokens(KEYS)
OVER = (4401, "the access to this room is over")


@pytest.fixture(scope="module", name="guarded")
def serve_guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("guarded")
    project = write_project(folder, PROGRAM)
    server = Server(folder, "dev", str(project), "--idle-seconds", "0.1").start()
    yield server
    assert "Traceback" not in server.log
    assert "eyJ" not in server.log, "a token is in the log"
    server.kill()


@pytest.fixture
def room() -> str:
    return uuid4().hex


def token(room: str, level: str = "write", identity: str = "", seconds: float = 60) -> str:
    return TOKENS.issue(room, level, identity or uuid4().hex, expires_in=seconds)


def peer(server: Server, room: str, level: str = "write", query: str = "", **options: Any) -> Peer:
    return Peer(server.port, f"/{room}?token={token(room, level, **options)}{query}")


def status_of(server: Server, path: str) -> int:
    try:
        with connect(f"ws://127.0.0.1:{server.port}{path}"):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def forged(room: str) -> dict[str, tuple[str, int]]:
    """Tokens that are none, and how they are refused."""
    head, claims, signature = token(room).split(".")

    def part(thing: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(thing).encode()).rstrip(b"=").decode()

    admin = {**json.loads(base64.urlsafe_b64decode(claims + "==")), "level": "admin"}
    no_algorithm = part({"alg": "none", "kid": "new", "typ": "JWT"})
    return {
        "none": ("", 401),
        "other claims": (f"{head}.{part(admin)}.{signature}", 401),
        "no algorithm": (f"{no_algorithm}.{claims}.", 401),
        "no signature": (f"{head}.{claims}.", 401),
        "another signature": (f"{head}.{claims}.{signature[::-1]}", 401),
        "a key that is not known": (RoomTokens({"gone": "x" * 32}).issue(room, expires_in=60), 401),
        "another secret of that name": (RoomTokens({"new": "x" * 32}).issue(room, expires_in=60), 401),
        "another room": (token(room + "x"), 403),
        "what is below": (token(f"{room}/*"), 403),
    }


def test_forged_tokens_let_nobody_in(guarded: Server, room: str) -> None:
    tokens = forged(room)
    found = {name: status_of(guarded, f"/{room}?token={token}") for name, (token, _) in tokens.items()}
    assert found == {name: status for name, (_, status) in tokens.items()}
    assert status_of(guarded, f"/{room}") == 401
    for path in (f"/{room}x/../{room}", f"/./{room}"):  # the room that is asked for is the one that is opened
        assert status_of(guarded, f"{path}?token={token(room)}") == 101
    old = RoomTokens({"old": KEYS["old"]}).issue(room, expires_in=60)
    assert status_of(guarded, f"/{room}?token={old}") == 101


def messages() -> list[str]:
    """Whatever a client can say that has content, or leads to it."""
    values = [{"v": ["evil", now()]}]
    tables = [{"t": [{"r": [{"c": ["evil", now()]}]}]}]
    bodies: list[tuple[int, Any]] = [
        (DIFF, values_diff({"v": "evil"})),
        (DIFF, cells_diff("t", "r", {"c": "evil"})),
        (DIFF, [tables, values]),
        (HASHES, [1, 2]),
        (0, [1, 2]),
        (0, tables),
        (0, values),
        (0, [tables, {}]),
    ]
    return [text(["id", number, body]) for number, body in bodies]


def test_whatever_a_reader_says_changes_nothing(guarded: Server, room: str) -> None:
    with peer(guarded, room) as writer, peer(guarded, room, "read") as reader:
        writer.broadcast(values_diff({"v": "good"}))
        before = writer.hashes()
        for said in messages():
            for address in ("", "S", writer.key):
                reader.say(f"{address}\n{said}")
                for piece in encode_payloads(address, said, 20):
                    reader.say(piece)
        assert reader.values()["v"][0] == "good"  # all of it was read, and it may ask
        assert writer.hashes() == before
        with peer(guarded, room) as later:
            assert later.values()["v"][0] == "good"
            writer.broadcast(values_diff({"w": 1}))
            assert later.hear_from(writer.key, DIFF)[2] == writer_said(reader, writer)


def writer_said(reader: Peer, writer: Peer) -> Any:
    return reader.hear_from(writer.key, DIFF)[2]


def test_nobody_comes_under_the_key_of_somebody_else(guarded: Server, room: str) -> None:
    key = new_key()
    fields = ("Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    head = "\r\n".join((*fields, f"Sec-WebSocket-Key: {key}"))
    asking = f"GET /{room}?token={token(room, 'read')} HTTP/1.1\r\n{head}\r\n\r\n".encode()
    with (
        Peer(guarded.port, f"/{room}?token={token(room)}", key) as writer,
        peer(guarded, room, "read") as witness,
    ):
        assert ask(guarded.port, asking).status == 409
        time.sleep(0.3)  # the object sleeps
        assert ask(guarded.port, asking).status == 409
        writer.broadcast(values_diff({"v": 1}))
        assert witness.hear_from(key, DIFF)
    end = time.monotonic() + 20
    while ask(guarded.port, asking).status != 101:  # until the object has heard that the writer has gone
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_writer_keeps_to_the_rules_also_in_answers(guarded: Server, room: str) -> None:
    with peer(guarded, room) as writer, peer(guarded, room, "admin") as admin:
        admin.broadcast(values_diff({"title": "good"}))
        admin.broadcast(cells_diff("config", "r", {"c": "good"}))
        before = admin.hashes()
        writer.broadcast(values_diff({"title": "evil"}))
        writer.broadcast(cells_diff("config", "r", {"c": "evil"}))
        writer.hashes()
        writer.broadcast([1, 2], HASHES)  # the server's store asks what there is, and is lied to
        asked = writer.hear_from("S", 4)
        lie = [{"config": [{"r": [{"c": ["evil", now()]}]}], "t": [{"r": [{"c": [1, now()]}]}]}]
        writer.say(f"S\n{text([asked[0], 0, [lie, {}]])}")
        asked = writer.hear_from("S", 7)
        writer.say(f"S\n{text([asked[0], 0, [{'title': [{'r': [{'c': ['evil', now()]}]}, now()]}]])}")
        assert admin.hashes() == before
        assert admin.cells("config", "r")["c"][0] == "good"
        assert admin.values()["title"][0] == "good"


def test_access_outlives_sleep_and_ends_with_a_restart(guarded: Server, room: str) -> None:
    with peer(guarded, room, "read") as reader:
        guarded.wait_until_asleep(10)
        reader.broadcast(values_diff({"v": "evil"}))
        assert reader.values() == {}
        guarded.kill()
    guarded.start()
    assert status_of(guarded, f"/{room}") == 401
    with peer(guarded, room) as writer:
        writer.broadcast(values_diff({"v": "good"}))
        assert writer.values()["v"][0] == "good"


def test_a_sleeping_socket_is_closed_when_its_access_is_over(guarded: Server, room: str) -> None:
    with peer(guarded, room, seconds=2) as writer:
        guarded.wait_until_asleep(10)
        assert writer.receive_close() == OVER


def test_a_refresh_keeps_the_socket_and_is_nobody_elses(guarded: Server, room: str) -> None:
    def post(of: str, session: str) -> int:
        connection = HTTPConnection("127.0.0.1", guarded.port, timeout=5)
        headers = {"Authorization": f"Bearer {of}"}
        connection.request("POST", f"/{room}?session={session}", headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    began = SystemClock().now_ms()
    with peer(guarded, room, "read", "&session=s", identity="ann", seconds=3) as ann:
        mallory, longer = token(room, identity="mallory"), token(room, identity="ann")
        assert [post(mallory, "s"), post(longer, "x"), post("abc", "s")] == [404, 404, 401]
        guarded.wait_until_asleep(10)
        assert post(longer, "s") == 200
        time.sleep(max(0, 3.2 - (SystemClock().now_ms() - began) / 1000))
        ann.broadcast(values_diff({"v": 1}))
        assert ann.values()["v"][0] == 1


def test_floods_end_with_their_connection(guarded: Server, room: str) -> None:
    with peer(guarded, room) as quiet, peer(guarded, room) as loud:
        for _ in range(300):
            loud.say('\n["x",2,[0,0]]')
        assert loud.receive_close()[0] == 1008
        quiet.broadcast(values_diff({"v": 1}))
        assert quiet.values()["v"][0] == 1
    of_ann = token(room, identity="ann")
    peers = [Peer(guarded.port, f"/{room}?token={of_ann}") for _ in range(5)]
    assert status_of(guarded, f"/{room}?token={of_ann}") == 429
    assert status_of(guarded, f"/{room}?token={token(room)}") == 101
    for one in peers:
        one.hang_up()
