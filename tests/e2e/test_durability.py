"""What was shown as saved is on the server's disk, whatever happens to server and browsers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durabase.templates import create_project
from e2e._page import RoomPage
from e2e._server import Server

NewBrowser = Callable[..., RoomPage]

RELAY_ONLY = """
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint

class TinyBaseDurableObject(WsServerDurableObject):
    pass

class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects")
"""


@pytest.mark.parametrize("end", [Server.stop, Server.kill], ids=["SIGTERM", "SIGKILL"])
def test_a_new_browser_gets_all_after_the_server_ended(
    end: Callable[[Server], object], own_demo: Server, new_browser: NewBrowser
) -> None:
    room = f"{own_demo.url}/ended"
    first = new_browser(room).expect_saved()
    first.count_up(7).add_pets(4).delete_pet("fido").raise_price("dog").expect_saved()
    pets = first.pets()
    end(own_demo)
    first.close()

    own_demo.start()
    late = new_browser(room).expect_saved()
    late.expect_counter(7).expect_pet_count(4).expect_pets(pets).expect_price("dog", 6)


def test_a_new_browser_gets_all_when_everybody_left(room: str, new_browser: NewBrowser) -> None:
    pages = [new_browser(room).expect_saved() for _ in range(2)]
    pages[0].count_up(4)
    pages[1].add_pets(10).expect_counter(4)
    for page in pages:
        page.expect_pet_count(11).expect_saved()
        page.close()

    new_browser(room).expect_saved().expect_counter(4).expect_pet_count(11)


def test_browsers_go_on_after_a_kill(own_demo: Server, new_browser: NewBrowser) -> None:
    room = f"{own_demo.url}/goes-on"
    first, second = new_browser(room).expect_saved(), new_browser(room).expect_saved()
    first.count_up(2).expect_saved()
    own_demo.kill()
    own_demo.start()

    first.expect_saved().count_up()
    second.expect_saved().expect_counter(3).add_pets(1)
    first.expect_pet_count(2).expect_saved()


def test_a_server_that_only_relays_is_said_to_store_nothing(
    built_client: None, tmp_path: Path, new_browser: NewBrowser
) -> None:
    project = create_project("relay", tmp_path)
    (project / "server/index.py").write_text(RELAY_ONLY)
    server = Server(tmp_path, "serve", str(project)).start()
    try:
        room = f"{server.url}/relayed"
        first, second = new_browser(room), new_browser(room)
        first.count_up(3)
        second.expect_counter(3).expect_status("Online", "Not stored on the server")
        first.expect_status("Online", "Not stored on the server")
    finally:
        server.kill()
