"""After quiet seconds the object is gone from memory; its browsers stay, and the next message wakes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from durabase.templates import create_project
from e2e._page import RoomPage
from e2e._server import Server

NewBrowser = Callable[..., RoomPage]

CONSTRUCTED = "an object was constructed"
PERSISTER = "    def create_persister(self):\n"


@pytest.fixture
def server(tmp_path: Path, built_client: None) -> Iterator[Server]:
    project = create_project("sleepy", tmp_path)
    program = project / "server/index.py"
    program.write_text(program.read_text().replace(PERSISTER, f"{PERSISTER}        print('{CONSTRUCTED}')\n"))
    server = Server(tmp_path, "dev", "--no-client-dev", "--idle-seconds", "0.7", str(project)).start()
    yield server
    server.kill()


def test_a_message_wakes_the_object_and_is_handled_like_any_other(
    server: Server, new_browser: NewBrowser
) -> None:
    room = f"{server.url}/sleepy"
    first, second = new_browser(room).expect_saved(), new_browser(room).expect_saved()
    first.count_up(2).expect_saved()
    second.expect_counter(2).expect_saved()
    server.wait_until_asleep()
    constructed = server.log.count(CONSTRUCTED)

    second.count_up()
    first.expect_counter(3).expect_saved()
    second.expect_saved()

    assert server.log.count(CONSTRUCTED) > constructed
    assert [len(page.sockets) for page in (first, second)] == [1, 1]

    server.wait_until_asleep()
    first.close()
    second.close()
    new_browser(room).expect_saved().expect_counter(3)
