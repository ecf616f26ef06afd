"""What is too large to be stored: all else of its save is kept, it is reported, and stays in sync."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e._server import Server
from hostile._peer import DIFF, HASHES, Peer, cells_diff, message, now, values_diff
from hostile._project import ROOM, write_project

LIMIT = 131_072
LARGE = "x" * (LIMIT + 1000)
LARGER = "\u00e9" * LIMIT
TOLD = """
    def on_ignored_error(self, error):
        print("told:", type(error).__name__, str(error)[:150])
        super().on_ignored_error(error)
"""
TOLD_TO = "self.ctx.storage, on_ignored_error=self.on_ignored_error)\n"
TELLING = ROOM.replace("self.ctx.storage)\n", TOLD_TO + TOLD)


def both_diff(large: str) -> list[object]:
    """One save with small and large things in several places."""
    time = now()
    cells = {"small": [1, time], "large": [large, time]}
    row = {"small": [2, time]}
    return [
        [{"pets": [{"fido": [cells], "felix": [row]}], "species": [{"dog": [row]}]}],
        [{"large": [large, time], "small": [3, time]}],
        1,
    ]


def test_everything_else_of_the_save_is_kept_and_clients_bring_it_back(tmp_path: Path) -> None:
    server = Server(tmp_path, "serve", str(write_project(tmp_path, TELLING))).start()
    try:
        body = both_diff(LARGE)
        with Peer(server.port) as witness, Peer(server.port) as sender:
            sender.broadcast(body)
            assert witness.hear_from(sender.key, DIFF)[2] == body
            whole = sender.hashes()
            assert sender.cells("pets", "fido")["large"][0] == LARGE  # it stays in memory, and in sync
            assert sender.values()["large"][0] == LARGE
            server.kill()
        for line in ("cell 'large' of row 'fido' in table 'pets'", "value 'large'"):
            assert line in server.log
        assert server.log.count("told: ValueTooLargeError") == 2
        assert "Traceback" not in server.log

        server.start()
        with Peer(server.port) as late:
            rest = late.hashes()
            assert rest != whole
            assert late.cells("pets", "fido").keys() == {"small"}
            assert late.cells("pets", "felix").keys() == late.cells("species", "dog").keys() == {"small"}
            assert late.values().keys() == {"small"}

            late.broadcast(whole, HASHES)  # as a client does that has it all
            answer_pull(late, body)
            assert late.hashes() == whole
            late.broadcast(values_diff({"later": 1}))
            assert late.values().keys() == {"large", "small", "later"}
    finally:
        server.kill()


def answer_pull(peer: Peer, body: list[object]) -> None:
    """Answer the store's questions as the client that has just this."""
    while True:
        sender, (request_id, number, _) = peer.hear()
        if sender != "S" or number not in (4, 5, 6, 7):
            continue
        answers = {4: [[{}], {"pets": 1}], 5: [[{}], {"pets": {"fido": 1}}], 6: body[0], 7: body[1]}
        peer.say(f"S\n{message(0, answers[number], request_id)}")
        if number == 7:
            return


def test_a_later_small_thing_in_its_place_is_stored(own_server: Server, room: str) -> None:
    with Peer(own_server.port, room) as sender:
        sender.broadcast(both_diff(LARGER))
        sender.broadcast(cells_diff("pets", "fido", {"large": "small now"}))
        sender.broadcast(values_diff({"large": "small now"}))
        before = sender.hashes()
        own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.hashes() == before
        assert sender.values()["large"][0] == "small now"


def test_an_older_stored_thing_does_not_pass_for_the_large_one(own_server: Server, room: str) -> None:
    with Peer(own_server.port, room) as sender:
        sender.broadcast(values_diff({"v": "old"}))
        old = sender.hashes()
        sender.broadcast(values_diff({"v": LARGE}))
        new = sender.hashes()
        own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.hashes() == old != new
        assert sender.values()["v"][0] == "old"


def test_the_limit_can_be_raised(tmp_path: Path) -> None:
    project = str(write_project(tmp_path))
    server = Server(tmp_path, "serve", "--max-value-bytes", "1000000", project).start()
    try:
        with Peer(server.port) as sender:
            sender.broadcast(both_diff(LARGE))
            before = sender.hashes()
            server.kill()
        assert "too large" not in server.log
        server.start()
        with Peer(server.port) as sender:
            assert sender.hashes() == before
            assert sender.values()["large"][0] == LARGE
    finally:
        server.kill()


@pytest.mark.parametrize("level", ["table", "row", "cell", "value"])
def test_an_id_too_long_for_a_key_keeps_nothing_else_from_being_stored(
    own_server: Server, room: str, level: str
) -> None:
    """A key has 2,048 bytes at most; one client with long ids must not stop the saving of all."""
    ids = {name: name for name in ("table", "row", "cell", "value")} | {level: level + "\u00e9" * 1100}
    with Peer(own_server.port, room) as sender:
        sender.broadcast(values_diff({"before": 1}))
        body = cells_diff(ids["table"], ids["row"], {ids["cell"]: 1, "other": 2})
        body[1] = [{ids["value"]: [1, now()], "beside": [2, now()]}]
        sender.broadcast(body)
        sender.broadcast(values_diff({"after": 3}))
        assert sender.values().keys() == {"before", ids["value"], "beside", "after"}
        own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as sender:
        assert sender.values().keys() >= {"before", "beside", "after"}
        assert "other" in sender.cells("table", "row") or level in ("table", "row")
        assert "too large" in own_server.log or "too long" in own_server.log
