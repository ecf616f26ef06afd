"""The demo app in Python beside the browser's own, in one room: a real server of Solara, two real pages."""

from __future__ import annotations

import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from e2e._page import RoomPage
from e2e._server import PATIENCE_SECONDS, ServerProcess, free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "solara_pets.py"
MODULES = Path(__file__).with_name("solara") / "node_modules"
ASSETS = {
    "@widgetti/solara-vuetify3-app@5.2.0": "@widgetti/solara-vuetify3-app",
    "font-awesome@4.5.0": "font-awesome",
    "requirejs@2.3.6": "requirejs",
}


@pytest.fixture
def solara_url(room: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the example, which is in the room."""
    assert MODULES.is_dir(), "what Solara's pages load is needed: `cd tests/e2e/solara && npm ci`"
    for name, module in ASSETS.items():
        place = tmp_path / "assets" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(MODULES / module)
    monkeypatch.setenv("SOLARA_ASSETS_PROXY_CACHE_DIR", str(tmp_path / "assets"))
    monkeypatch.setenv("SOLARA_TELEMETRY_MIXPANEL_ENABLE", "False")
    monkeypatch.setenv("DURABASE_ROOM", room.replace("http:", "ws:"))
    port = free_port()
    command = [sys.executable, "-m", "solara", "run", str(EXAMPLE), "--port", str(port), "--no-open"]
    server = ServerProcess(tmp_path, port, [*command, "--production"], "Solara server is starting at").start()
    url = f"http://localhost:{port}/"
    try:
        wait_for(url, server)
        yield url
    finally:
        server.kill()


def wait_for(url: str, server: ServerProcess) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_there(url):
        assert time.monotonic() < end, server.log
        time.sleep(0.05)


def is_there(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS):  # noqa: S310
            return True
    except urllib.error.URLError:
        return False


class PythonPage:
    """The example's page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def pets(self) -> Locator:
        return self.page.locator(".pets tbody tr")

    def expect_pets(self, rows: list[str]) -> None:
        expect(self.pets()).to_have_text(
            [re.compile(r"\s*".join(map(re.escape, row.split()))) for row in rows]
        )

    def expect_counter(self, count: int) -> None:
        expect(self.page.locator(".values tbody td")).to_have_text(str(count))

    def expect_price(self, species: str, price: int) -> None:
        row = self.page.locator(".species tbody tr").filter(has_text=species)
        expect(row.locator("td").first).to_have_text(str(price))


def test_both_pages_show_what_either_does(
    room: str, solara_url: str, browser: Browser, new_browser: Callable[..., RoomPage]
) -> None:
    javascript = new_browser(room).expect_saved()
    context = browser.new_context()
    python = PythonPage(context.new_page(), solara_url)
    python.expect_counter(0)
    python.expect_pets(["fido dog $5 Delete"])

    javascript.count_up(2).raise_price("dog").add_pets(1).expect_pet_count(2)
    python.expect_counter(2)
    python.expect_price("dog", 6)
    expect(python.pets()).to_have_count(2)
    python.expect_pets(javascript.pets())

    python.click("Increment counter")
    python.click("Raise the price of a dog")
    python.click("Delete fido")
    python.click("Add a random pet")
    javascript.expect_counter(3).expect_price("dog", 7).expect_pet_count(2)
    expect(python.pets()).to_have_count(2)
    python.expect_pets(javascript.pets())
    javascript.expect_saved()

    another = PythonPage(browser.new_context().new_page(), solara_url)
    another.expect_counter(3)
    another.click("Increment counter")
    python.expect_counter(4)
    javascript.expect_counter(4)
    another.page.context.close()
    context.close()
