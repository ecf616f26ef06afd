"""The page of the guide about presence, in two browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e._guides import block, give_page
from e2e._page import RoomPage
from e2e._server import Server
from hostile._project import write_project

GUIDE = "presence.md"


@pytest.fixture
def lobby(tmp_path: Path) -> Iterator[Server]:
    project = write_project(tmp_path, block(GUIDE, "python"), [])
    with (project / "wrangler.toml").open("a") as file:
        file.write(block(GUIDE, "toml"))
    give_page(GUIDE, project / "client/dist")
    server = Server(tmp_path, "serve", str(project)).start()
    yield server
    server.kill()


def test_two_pages_see_each_other_come_and_go(new_browser: Callable[..., RoomPage], lobby: Server) -> None:
    ada, bob = new_browser(lobby.url), new_browser(lobby.url)
    for browser, name in ((ada, "Ada"), (bob, "Bob")):
        browser.page.get_by_placeholder("Your name").fill(name)
    for browser in (ada, bob):
        expect(browser.page.get_by_role("listitem")).to_have_count(2)
        expect(browser.page.get_by_text("Ada at")).to_be_visible()
        expect(browser.page.get_by_text("Bob at")).to_be_visible()
    bob.page.mouse.move(12, 34)
    expect(ada.page.get_by_text("Bob at 12, 34")).to_be_visible()
    bob.reload()
    expect(bob.page.get_by_role("listitem")).to_have_count(2)
    bob.close()
    expect(ada.page.get_by_role("listitem")).to_have_count(1)
    expect(ada.page.get_by_text("Ada at")).to_be_visible()
