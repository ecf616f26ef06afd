"""The page of the guide about pages, in two browsers, one of which goes offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e._guides import give_page
from e2e._page import RoomPage
from e2e._server import Server
from hostile._project import write_project

NewBrowser = Callable[..., RoomPage]


@pytest.fixture
def garden(tmp_path: Path) -> Iterator[Server]:
    project = write_project(tmp_path)
    give_page("pages.md", project / "client/dist")
    server = Server(tmp_path, "serve", str(project)).start()
    yield server
    server.kill()


def add(browser: RoomPage, plant: str) -> None:
    browser.page.get_by_placeholder("A plant").fill(plant)
    browser.page.get_by_role("button", name="Add").click()


def expect_state(browser: RoomPage, state: str) -> None:
    expect(browser.page.locator("output")).to_have_text(state)


def test_a_page_goes_offline_and_comes_back(new_browser: NewBrowser, garden: Server) -> None:
    browsers = new_browser(garden.url), new_browser(garden.url)
    for browser, plant in zip(browsers, ("oak", "fern"), strict=True):
        expect_state(browser, "Online")
        add(browser, plant)
    for browser in browsers:
        expect(browser.page.get_by_role("listitem")).to_have_count(2)
    garden.stop()
    for browser, plant in zip(browsers, ("moss", "rose"), strict=True):
        expect_state(browser, "Offline")
        add(browser, plant)
        expect(browser.page.get_by_role("listitem")).to_have_count(3)
    garden.start()
    for browser in browsers:
        expect_state(browser, "Online")
        expect(browser.page.get_by_role("listitem")).to_have_count(4)
    browsers[0].reload()
    expect(browsers[0].page.get_by_role("listitem")).to_have_count(4)
