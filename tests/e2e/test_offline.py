"""Edits made without the server are kept in the browser, survive a reload, and merge on reconnect."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import WebSocketRoute

from e2e._page import KEPT, RoomPage
from e2e._server import Server

NewBrowser = Callable[..., RoomPage]


def test_edits_while_the_server_is_stopped_merge_when_it_is_back(
    own_demo: Server, new_browser: NewBrowser
) -> None:
    room = f"{own_demo.url}/stopped"
    first, second = new_browser(room).expect_saved(), new_browser(room).expect_saved()
    assert own_demo.stop() == 0

    first.expect_status("Offline", KEPT).count_up(2).add_pets(1)
    second.expect_status("Offline", KEPT).delete_pet("fido").raise_price("cat")
    own_demo.start()

    for page in (first, second):
        page.expect_saved().expect_counter(2).expect_pet_count(1).expect_price("cat", 5)
    second.expect_pets(first.pets())


def test_edits_while_the_network_is_cut_survive_a_reload(room: str, new_browser: NewBrowser) -> None:
    page, other = new_browser(room).expect_saved(), new_browser(room).expect_saved()
    network = Network(page)

    network.cut()
    page.expect_status("Offline", KEPT).count_up(3).add_pets(2)
    page.reload()
    page.expect_status("Offline", KEPT).expect_counter(3).expect_pet_count(3)
    other.raise_price("fish").expect_saved().expect_counter(0)

    network.restore()
    for window in (page, other):
        window.expect_saved().expect_counter(3).expect_pet_count(3).expect_price("fish", 3)


def test_a_browser_that_says_it_is_offline_is_believed_at_once(room: str, new_browser: NewBrowser) -> None:
    page, other = new_browser(room).expect_saved(), new_browser(room).expect_saved()

    page.context.set_offline(True)
    page.expect_status("Offline", KEPT).count_up()
    other.add_pets(1).expect_saved().expect_counter(0)
    page.context.set_offline(False)

    for window in (page, other):
        window.expect_saved().expect_counter(1).expect_pet_count(2)


def test_a_server_that_answers_no_more_is_noticed(own_demo: Server, new_browser: NewBrowser) -> None:
    page = new_browser(f"{own_demo.url}/frozen").expect_saved()

    own_demo.freeze()
    page.count_up().expect_status("Offline", KEPT).count_up()
    own_demo.thaw()

    page.expect_saved().expect_counter(2)


def test_windows_of_one_browser_merge_while_offline(room: str, new_browser: NewBrowser) -> None:
    first = new_browser(room).expect_saved()
    second = first.open_window(room).expect_saved()
    first.context.set_offline(True)

    first.count_up(2)
    second.expect_counter(2).add_pets(2)
    first.expect_pet_count(3).expect_status("Offline", KEPT)


class Network:
    """Between a browser and the server's WebSockets, from the next connection on; pages still load."""

    def __init__(self, page: RoomPage) -> None:
        self._page = page
        self._is_up = True
        page.context.route_web_socket("**/*", self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        if self._is_up:
            route.connect_to_server()
        else:
            route.close()

    def cut(self) -> None:
        self._is_up = False
        self._page.reload()

    def restore(self) -> None:
        self._is_up = True
