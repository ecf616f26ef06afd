"""The whole server is killed at random moments under load; every save that it acknowledged is there.

A client knows that its edits are saved when the store's own seat, ``S``, answers a request for content
hashes that was sent after them: the answer does not leave before they are on the disk.
"""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from durabase import MergeableStore
from durabase.synchronizers.protocol.messages import Message, MessageType, message_text
from e2e._server import Server

KILLS = 8
ROOMS = 3
EDITS_BETWEEN_QUESTIONS = 5


@dataclass
class Writer:
    """Edits one room as fast as it may, remembering what was acknowledged as saved.

    As a client that was offline would, it begins each connection with what was not acknowledged.
    """

    room: str
    seed: int
    store: MergeableStore = field(default_factory=MergeableStore)
    payloads: list[str] = field(default_factory=list)
    saved: int = 0
    changes: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        def keep(store: MergeableStore) -> None:
            self.changes = store.get_transaction_mergeable_changes()

        self.store.add_did_finish_transaction_listener(keep)

    def write_until_cut_off(self, url: str) -> None:
        try:
            with connect(f"{url}/{self.room}", compression=None) as socket:
                for payload in self.payloads[self.saved :]:
                    socket.send(payload)
                while True:
                    for _ in range(EDITS_BETWEEN_QUESTIONS):
                        self._edit(socket)
                    self._ask(socket)
        except (ConnectionClosed, InvalidHandshake, OSError):
            return

    def _edit(self, socket: ClientConnection) -> None:
        number = len(self.payloads)
        self.store.set_row("edits", str(number), {"number": number, "text": "x" * (number % 50)})
        message = Message(f"edit{number}", MessageType.CONTENT_DIFF, self.changes)
        self.payloads.append("\n" + message_text(message))
        socket.send(self.payloads[-1])

    def _ask(self, socket: ClientConnection) -> None:
        asked = len(self.payloads)
        question = f"saved.{asked}"
        socket.send(f'S\n["{question}",1,""]')
        while True:
            answer = json.loads(str(socket.recv()).partition("\n")[2])
            if answer[:2] == [question, MessageType.RESPONSE]:
                self.saved = asked
                return


def stored_rows(url: str, room: str) -> dict[str, Any]:
    """What the object has, asked by a client that has nothing."""
    with connect(f"{url}/{room}", compression=None, max_size=None) as socket:
        socket.send('S\n["all.rows",4,{}]')
        while True:
            answer = json.loads(str(socket.recv()).partition("\n")[2])
            if answer[:2] == ["all.rows", MessageType.RESPONSE]:
                tables = answer[2][0][0]
                return dict(tables["edits"][0]) if "edits" in tables else {}


def check(writer: Writer, rows: dict[str, Any]) -> None:
    for number in range(writer.saved):
        cells = rows[str(number)][0]
        assert cells["number"][0] == number
        assert cells["text"][0] == "x" * (number % 50)
    for row_id, row in rows.items():
        assert set(row[0]) == {"number", "text"}, f"row {row_id} was stored in part"


def test_every_acknowledged_save_survives_sigkill(tmp_path: Path) -> None:
    chance = random.Random(20261125)
    project = Path(__file__).parents[3] / "src" / "durabase" / "templates" / "react-ts" / "server"
    server = Server(tmp_path, "dev", str(project), "--no-client-dev")
    writers = [Writer(f"room-{number}", number) for number in range(ROOMS)]
    for _ in range(KILLS):
        server.start()
        threads = [threading.Thread(target=w.write_until_cut_off, args=(server.ws_url,)) for w in writers]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.02, 0.5))
        server.kill()
        for thread in threads:
            thread.join()
    server.start()
    try:
        for writer in writers:
            check(writer, stored_rows(server.ws_url, writer.room))
    finally:
        assert server.stop() == 0
    assert all(writer.saved > 0 for writer in writers)
