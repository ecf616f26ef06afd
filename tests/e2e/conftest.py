from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from durabase.templates import prebuilt_client_dir, template_dir
from e2e._page import RoomPage
from e2e._server import Server

PROJECT = Path(__file__).parents[2]
CLIENT = template_dir() / "client"
PATIENCE_MS = 30_000  # for what takes well under a second on a machine that is not busy
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


@pytest.fixture(scope="package")
def built_client() -> None:
    """The template's client, built from its sources as they are now, the way `make demo` builds it."""
    if (CLIENT / "node_modules").is_dir() and _is_fresh(prebuilt_client_dir()):
        return
    assert shutil.which("npm"), "Node.js 20 is needed: https://nodejs.org or `apt-get install nodejs npm`"
    command = [sys.executable, "scripts/setup.py", "client", str(CLIENT)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"the client could not be built:\n{done.stdout}{done.stderr}"


def _is_fresh(built: Path | None) -> bool:
    sources = [CLIENT / "index.html", CLIENT / "package-lock.json", *(CLIENT / "src").iterdir()]
    return built is not None and all(
        source.stat().st_mtime < (built / "index.html").stat().st_mtime for source in sources
    )


# While Playwright is up its loop counts as the thread's running one: tests that run their own come after.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "Chromium is needed: `apt-get install chromium`"
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def new_browser(browser: Browser) -> Iterator[Callable[..., RoomPage]]:
    """Makes browsers with a storage of their own, each with one window; fails the test on any page error."""
    opened: list[RoomPage] = []

    def make(url: str) -> RoomPage:
        context = browser.new_context()
        context.set_default_timeout(PATIENCE_MS)
        opened.append(RoomPage(context))
        return opened[-1].open(url)

    yield make
    for page in opened:
        page.close()
    assert [error for page in opened for error in page.errors] == []


@pytest.fixture(scope="package")
def demo(built_client: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`durabase demo`, for all tests that don't stop it; each test has rooms of its own."""
    server = Server(tmp_path_factory.mktemp("demo"), "demo").start()
    yield server
    assert server.stop() == 0, server.log


@pytest.fixture
def own_demo(built_client: None, tmp_path: Path) -> Iterator[Server]:
    """`durabase demo` to stop, kill and start again."""
    server = Server(tmp_path, "demo").start()
    yield server
    server.kill()


@pytest.fixture
def room(demo: Server, request: pytest.FixtureRequest) -> str:
    """The address of a room that nobody else uses."""
    return f"{demo.url}/{request.node.name}"
