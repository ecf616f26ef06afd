"""Of a large message, which is taken over slice by slice, a killed server has all or nothing."""

from __future__ import annotations

import random
import time
from pathlib import Path

from e2e._server import Server
from hostile._peer import Peer, message, now
from hostile._project import write_project

ROWS = 6_000
CELLS = 5
KILLS = 4


def large() -> str:
    """A message with so many cells that taking it over takes longer than sending it."""
    rows = {f"r{row}": [{f"c{cell}": [row, now()] for cell in range(CELLS)}] for row in range(ROWS)}
    return f"\n{message(3, [[{'t': [rows]}], [{}], 1])}"


def test_it_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    rng = random.Random(19)
    server = Server(tmp_path, "serve", str(write_project(tmp_path)))
    found = set()
    text = large()
    for kill in range(KILLS):
        room = f"/{kill}"
        server.start()
        with Peer(server.port, room) as sender, Peer(server.port, room) as other:
            sender.send_text(text)
            other.set_timeout(30)
            other.hear_from(sender.key, 3)  # it is being taken over from now on
            time.sleep(rng.random() * 1.5)
            server.kill()
        server.start()
        with Peer(server.port, room, seconds=30) as reader:
            tables = reader.tables()
            found.add(sum(len(row[0]) for row in tables["t"][0].values()) if tables else 0)
        server.kill()
    assert found <= {0, ROWS * CELLS}


def test_what_was_answered_after_it_was_saved_with_it(tmp_path: Path) -> None:
    server = Server(tmp_path, "serve", str(write_project(tmp_path))).start()
    with Peer(server.port, "/x", seconds=60) as sender:
        sender.send_text(large())
        hashes = sender.hashes()
        server.kill()
    server.start()
    with Peer(server.port, "/x", seconds=60) as reader:
        assert reader.hashes() == hashes
        assert len(reader.tables()["t"][0]) == ROWS
    server.kill()
