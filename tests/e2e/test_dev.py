"""`durabase new` and `durabase dev`: a project of one's own, edited while browsers are in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from e2e._page import RoomPage
from e2e._server import Server
from e2e.conftest import CLIENT

NewBrowser = Callable[..., RoomPage]

PERSISTER = "    def create_persister(self):"
RELOADED = "Local server updated and ready"
KEPT_SERVING = "The last good code keeps serving"


@pytest.fixture
def project(tmp_path: Path, built_client: None) -> Path:
    """What `durabase new` writes, with the packages that `npm ci` would install."""
    command = [sys.executable, "-m", "durabase", "new", "my-app"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    project = tmp_path / "my-app"
    packages = project / "client/node_modules"
    shutil.copytree(CLIENT / "node_modules", packages, symlinks=True, copy_function=link_or_copy)
    return project


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


@pytest.fixture
def dev(project: Path, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "dev", str(project)).start()
    yield server
    code = server.stop()
    assert code == 0, server.log


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def heard_by(version: str) -> str:
    """A method for the object that tells which version of the program got a message."""
    return (
        "    def on_message(self, from_client_id, to_client_id, remainder):\n"
        f"        print('heard by {version}')\n"
        "        super().on_message(from_client_id, to_client_id, remainder)\n\n"
    )


def test_client_and_server_are_edited_while_browsers_stay(
    project: Path, dev: Server, new_browser: NewBrowser
) -> None:
    room = f"{dev.url}/edited"
    first, second = new_browser(room).expect_saved(), new_browser(room).expect_saved()
    for page in (first, second):
        page.page.evaluate("window.stays = true")
    sockets = rooms_sockets(first, second)

    edit(project / "client/src/Header.tsx", "Pet shop", "Pet palace")
    for page in (first, second):
        expect(page.page.get_by_role("heading", level=1)).to_have_text("Pet palace")

    program = project / "server/index.py"
    edit(program, PERSISTER, heard_by("version 2") + PERSISTER)
    dev.wait_for_log(RELOADED)
    first.count_up()
    second.expect_counter(1).expect_saved()
    dev.wait_for_log("heard by version 2")

    edit(program, "version 2", "version 3' +")
    dev.wait_for_log(KEPT_SERVING)
    second.count_up().expect_saved()
    first.expect_counter(2)

    edit(program, "version 3' +", "version 3")
    dev.wait_for_log(RELOADED, count=2)
    second.add_pets(1)
    first.expect_pet_count(2).expect_saved()
    dev.wait_for_log("heard by version 3")

    assert rooms_sockets(first, second) == sockets
    assert all(page.page.evaluate("window.stays") for page in (first, second))
    assert "version 3' +" not in [line for line in dev.log.splitlines() if line.startswith("heard by")]


def rooms_sockets(*pages: RoomPage) -> int:
    """How many sockets to rooms have been opened so far; those of the hot reload carry a token."""
    return sum("token=" not in socket.url for page in pages for socket in page.sockets)
