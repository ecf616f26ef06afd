"""Programs that override what they may, and programs that fail: errors are reported, the server goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e._server import Server
from hostile._peer import DIFF, HASHES, Peer, values_diff
from hostile._project import ROOM, write_project
from hostile._wire import ask, new_key

LOUD = (
    ROOM.partition("class Default")[0]
    + """
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        print("told: constructed")

    def on_path_id(self, path_id, added_or_removed):
        print("told: path", path_id, added_or_removed)
        super().on_path_id(path_id, added_or_removed)

    def on_client_id(self, path_id, client_id, added_or_removed):
        print("told: client", path_id, client_id, added_or_removed, self.get_client_ids())
        super().on_client_id(path_id, client_id, added_or_removed)

    async def on_message(self, from_client_id, to_client_id, remainder):
        print("told: message", [from_client_id, to_client_id, remainder])
        super().on_message(from_client_id, to_client_id, remainder)

    def on_ignored_error(self, error):
        print("told: ignored", error)
        super().on_ignored_error(error)

    def get_path_id(self):
        return super().get_path_id().upper()

    def get_client_ids(self):
        return super().get_client_ids()

    def get_fragment_size(self):
        assert super().get_fragment_size() is None
        return 50

    def get_request_timeout_seconds(self):
        assert super().get_request_timeout_seconds() == 1
        return 0.2

    async def fetch(self, request):
        print("told: fetch", self.get_path_id())
        return super().fetch(request)

    def web_socket_message(self, ws, message):
        super().web_socket_message(ws, message)

    async def web_socket_close(self, ws, code, reason, was_clean):
        print("told: close", code, reason, was_clean)
        super().web_socket_close(ws, code, reason, was_clean)

    def web_socket_error(self, ws, error):
        print("told: error", error)
        super().web_socket_error(ws, error)


class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects")
"""
)
RELAY_ONLY = ROOM.replace("    def create_persister(self):", "    def nothing(self):")
DIRECT = (
    ROOM.partition("class Default")[0]
    + """
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        namespace = self.env.TinyBaseDurableObjects
        return await namespace.get(namespace.id_from_name("direct")).fetch(request)
"""
)


@contextmanager
def serving(folder: Path, program: str, *options: str) -> Iterator[Server]:
    server = Server(folder, "dev", *options, str(write_project(folder, program))).start()
    try:
        yield server
    finally:
        server.kill()


def test_whatever_is_overridden_is_called_and_still_works(tmp_path: Path) -> None:
    with serving(tmp_path, LOUD) as server:
        with Peer(server.port, "/loud") as first, Peer(server.port, "/loud") as second:
            first.broadcast(values_diff({"a": "x" * 100}))
            second.hear_from(first.key, DIFF)
            assert first.hashes() == second.hashes()
            first.say('S\n["v.1",7,{}]')
            while "\n0\n" not in (piece := first.receive_text()):
                assert len(piece) < 100
            first.say("rubbish")
            assert first.receive_close() == (1007, "tinybase:14")
            second.send(b"\x81\x00")
            second.receive_end()
        first_key, second_key = first.key, second.key
        server.wait_for_log("told: path loud -1")
        for line in (
            "told: constructed",
            "told: path loud 1\n",
            f"told: client loud {first_key} 1 ['{first_key}']",
            f"told: client loud {second_key} 1 ['{first_key}', '{second_key}']",
            f"told: client loud {first_key} -1",
            f"told: client loud {second_key} -1",
            f"told: message ['{first_key}', '', '[",
            f"told: message ['S', '{first_key}', '[",
            f"told: message ['{first_key}', 'S', '[",
            "told: ignored tinybase:14",
            "told: fetch LOUD",
            "told: error the frame is not masked",
        ):
            assert line in server.log, line
        assert server.log.count("told: path loud") == 2
        assert "Traceback" not in server.log


def test_without_a_persister_it_relays_and_stores_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, RELAY_ONLY, "--idle-seconds", "0.3") as server:
        with Peer(server.port) as first, Peer(server.port) as second:
            first.broadcast(values_diff({"a": 1}))
            second.hear_from(first.key, DIFF)
            server.wait_until_asleep()
            second.broadcast([1, 2], HASHES)
            assert first.hear_from(second.key, HASHES)[2] == [1, 2]
            first.say('S\n["x.1",1,""]')
            first.say(f'{second.key}\n["x.1",2,[7,7]]')
            assert second.hear_from(first.key, HASHES)[2] == [7, 7]
        assert not [path for path in server.state.rglob("*.sqlite") if _row_count(path)]


def _row_count(database: Path) -> int:
    import sqlite3

    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as reader:
        (count,) = reader.execute("SELECT count(*) FROM objects").fetchone()
    reader.close()
    return int(count)


def test_what_is_no_upgrade_gets_426_from_the_object_itself(tmp_path: Path) -> None:
    with serving(tmp_path, DIRECT) as server:
        answer = ask(server.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (answer.status, answer.body) == (426, b"Upgrade required")
        with Peer(server.port) as peer:
            assert peer.hashes() == [0, 0]


STARTS = {
    "Creating": (
        "    def create_persister(self):\n        self.fail()\n        return super().create_persister()\n"
    ),
    "CreatingLater": (
        "    async def create_persister(self):\n"
        "        self.fail()\n        return super().create_persister()\n"
    ),
    "Making": "    def __init__(self, ctx, env):\n        super().__init__(ctx, env)\n        self.fail()\n",
    "MakingAtOnce": (
        "    def __init__(self, ctx, env):\n        self.fail()\n        super().__init__(ctx, env)\n"
    ),
    "Timing": (
        "    def get_request_timeout_seconds(self):\n"
        "        self.fail()\n        return super().get_request_timeout_seconds()\n"
    ),
}
HOOKS = {
    "Hearing": "    def on_message(self, from_client_id, to_client_id, remainder):\n        self.fail()\n",
    "HearingLater": (
        "    async def on_message(self, from_client_id, to_client_id, remainder):\n        self.fail()\n"
    ),
    "Counting": "    def on_client_id(self, path_id, client_id, added_or_removed):\n        self.fail()\n",
    "Opening": "    async def on_path_id(self, path_id, added_or_removed):\n        self.fail()\n",
    "Ignoring": "    def on_ignored_error(self, error):\n        self.fail()\n",
}
OTHERS = {
    "Saving": """
    def create_persister(self):
        room = self

        class Failing(DurableObjectStoragePersister):
            def set_persisted(self, get_content, changes=None):
                room.fail()
                return super().set_persisted(get_content, changes)

        return Failing(MergeableStore(), self.ctx.storage, on_ignored_error=self.on_ignored_error)
""",
    "Slow": """
    async def on_message(self, from_client_id, to_client_id, remainder):
        await asyncio.sleep(3)
""",
}
FAILING = STARTS | HOOKS | OTHERS
FAILING_PROGRAM = (
    "import asyncio\nimport pathlib\n"
    + ROOM.partition("class Default")[0]
    + """
    def fail(self):
        \"\"\"Raise, as long as there is a file with the name of the class.\"\"\"
        if pathlib.Path(__file__).with_name(type(self).__name__).exists():
            raise OSError(f"on purpose in {type(self).__name__}")
"""
    + "".join(f"\n\nclass {name}(TinyBaseDurableObject):\n{body}" for name, body in FAILING.items())
    + """

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = request.url.split("/")[3]
        namespace = getattr(self.env, f"{name}s")
        return await namespace.get(namespace.id_from_name(name)).fetch(request)
"""
)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a class for each way to fail; the first part of the path is the name of the class."""
    folder = tmp_path_factory.mktemp("failing")
    names = ["TinyBaseDurableObject", *FAILING]
    project = write_project(folder, FAILING_PROGRAM, names)
    server = Server(folder, "dev", "--idle-seconds", "0.3", str(project)).start()
    yield server
    server.kill()


@pytest.fixture
def project(failing: Server) -> Path:
    return failing.state.parent / "project"


@pytest.mark.parametrize("name", STARTS)
def test_a_start_that_fails_is_reported_and_the_next_event_tries_anew(
    failing: Server, project: Path, name: str
) -> None:
    broken = project / name
    reset = f"{name} was reset: on purpose in {name}"
    broken.touch()
    for _ in range(2):
        assert ask(failing.port, opening(f"/{name}")).status == 500
    assert failing.log.count(reset) == 2

    broken.unlink()
    with Peer(failing.port, f"/{name}") as peer, Peer(failing.port, f"/{name}") as other:
        peer.broadcast(values_diff({"a": 1}))
        before = peer.hashes()
        other.hashes()
        wait_until_asleep(failing, name)
        broken.touch()
        other.broadcast([1, 2], HASHES)  # wakes it
        for client in (peer, other):
            client.receive_end()
    failing.wait_for_log(reset, count=3)
    broken.unlink()
    with Peer(failing.port, f"/{name}") as peer:
        assert peer.hashes() == before


def wait_until_asleep(server: Server, path: str) -> None:
    end = time.monotonic() + 10
    while (log := server.log).rfind(f"/{path}  hibernated") < log.rfind(f"/{path}  started"):
        assert time.monotonic() < end
        time.sleep(0.02)


def opening(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {new_key()}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_that_fails_is_reported_and_keeps_nothing_from_passing(
    failing: Server, project: Path, name: str
) -> None:
    (project / name).touch()
    path = f"/{name}"
    with (
        Peer(failing.port, path) as first,
        Peer(failing.port, path) as second,
        Peer(failing.port, path) as bad,
    ):
        bad.say("rubbish")
        assert bad.receive_close() == (1007, "tinybase:14")
        first.broadcast(values_diff({"a": 1}))
        second.hear_from(first.key, DIFF)
        assert first.hashes() == second.hashes()
        assert first.values().keys() == {"a"}
    failing.wait_for_log(f"OSError: on purpose in {name}")


def test_a_handler_that_takes_its_time_holds_nobody_up(failing: Server) -> None:
    with Peer(failing.port, "/Slow") as slow, Peer(failing.port, "/TinyBaseDurableObject") as quick:
        started = time.monotonic()
        slow.broadcast([1, 2], HASHES)
        quick.hashes()
        slow.hashes()
        assert time.monotonic() - started < 1


def test_saves_that_fail_are_made_up_for(failing: Server, project: Path) -> None:
    broken = project / "Saving"
    with Peer(failing.port, "/Saving") as peer:
        peer.broadcast(values_diff({"before": 1}))
        peer.hashes()
        broken.touch()
        peer.broadcast(values_diff({"meanwhile": 1}))
        peer.hashes()
        failing.wait_for_log("on purpose in Saving")
        broken.unlink()
        peer.broadcast(values_diff({"after": 1}))
        before = peer.hashes()
        failing.kill()
    failing.start()
    with Peer(failing.port, "/Saving") as peer:
        assert peer.hashes() == before
        assert peer.values().keys() == {"before", "meanwhile", "after"}
