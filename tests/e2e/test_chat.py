"""The page of the template `chat`: people talk, the server goes away and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from durabase.templates import create_project
from e2e._page import RoomPage
from e2e._server import Server

NewBrowser = Callable[..., RoomPage]


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "serve", str(create_project("my-chat", tmp_path, "chat"))).start()
    yield server
    server.kill()


def say(page: Page, text: str) -> None:
    page.locator("input").fill(text)
    page.locator("input").press("Enter")


@pytest.mark.feature("S-DX-3")
def test_people_talk_and_nothing_is_lost(chat: Server, new_browser: NewBrowser) -> None:
    ann, bob = (new_browser(chat.url).page for _ in range(2))
    expect(ann.locator("h1")).to_have_text("lobby")
    say(ann, "Ann")
    say(bob, "Bob <b>")
    for page in (ann, bob):
        expect(page.locator("#people li")).to_have_text(["Ann", "Bob <b>"])
    say(ann, "Hello!")
    say(bob, "<i>Hi</i>")
    for page in (ann, bob):
        expect(page.locator("#messages p")).to_have_text(["Hello!", "<i>Hi</i>"])
    expect(ann.locator("#messages .own p")).to_have_text(["Hello!"])
    chat.kill()
    expect(ann.locator("#state")).to_have_text("Connecting …")
    chat.start()
    expect(ann.locator("#state")).to_be_empty()
    expect(bob.locator("#state")).to_be_empty()
    say(ann, "Back again")
    expect(bob.locator("#messages p")).to_have_text(["Hello!", "<i>Hi</i>", "Back again"])
    bob.reload()
    expect(bob.locator("#messages p")).to_have_text(["Hello!", "<i>Hi</i>", "Back again"])
    expect(bob.locator("#messages .own p")).to_have_text(["<i>Hi</i>"])
