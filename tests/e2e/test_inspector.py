"""The inspector in a browser: it sees what lives in a server, changes it, and lets in nobody else."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e._inspected import write_inspected_project
from e2e._page import RoomPage
from e2e._server import Server, free_port

NewBrowser = Callable[..., RoomPage]

HOSTILE = '"><img src=x onerror="document.title=\'owned\'">'


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(
            method, path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.fixture
def dev(built_client: None, tmp_path: Path) -> Iterator[Server]:
    project = write_inspected_project(tmp_path)
    server = Server(tmp_path, "dev", str(project), "--no-client-dev", "--history", "1").start()
    yield server
    assert server.stop() == 0, server.log


def inspect(new_browser: NewBrowser, server: Server, name: str = "") -> Page:
    page = new_browser(f"{server.url}/_durabase/").page
    if name:
        page.locator(".object", has_text=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return page


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    expect(page.locator("[role=tab][aria-selected=true]")).to_contain_text(name)


def set_text(page: Page, cell: str, text: str) -> None:
    page.get_by_role("button", name=cell).click()
    page.get_by_label("Value", exact=True).fill(text)
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.locator(".editor")).to_have_count(0)


def confirm(page: Page, action: str) -> None:
    page.locator("dialog").get_by_role("button", name=action).click()


def test_a_room_is_seen_and_edited_live(dev: Server, new_browser: NewBrowser) -> None:
    ann = new_browser(f"{dev.url}/lobby").expect_saved()
    page = inspect(new_browser, dev, "lobby")
    expect(page.locator(".people .client")).to_have_count(1)
    expect(page.locator(".live")).to_have_text("live")
    ann.count_up()
    expect(page.locator(".values .value").first).to_have_text("1")

    set_text(page, "counter: 1", "41")
    ann.expect_counter(41)
    ann.count_up()
    expect(page.locator(".values .value").first).to_have_text("42")
    set_text(page, 'pets fido name: "fido"', HOSTILE)
    ann.expect_pets([f"{HOSTILE}\tdog"])
    expect(page.locator(".grid .value").first).to_have_text(HOSTILE)
    expect(page.locator(".story .present")).to_contain_text(HOSTILE)
    expect(page.locator(".story .present")).to_contain_text(re.compile(r"counter \d+ · client .{5}"))

    page.get_by_role("button", name="Delete row fido").click()
    confirm(page, "Delete row")
    ann.expect_pet_count(0)
    assert page.title() == "durabase inspector"
    assert page.locator("img:not(.brand img)").count() == 0


def test_what_is_said_and_logged(dev: Server, new_browser: NewBrowser) -> None:
    ann = new_browser(f"{dev.url}/lobby").expect_saved()
    page = inspect(new_browser, dev, "lobby")
    tab(page, "Wire")
    expect(page.locator(".live")).to_have_text("recording")
    ann.count_up()
    message = page.locator(".message", has_text="content diff").last
    expect(message).to_contain_text("everybody else")
    expect(message).to_contain_text("counter 1")
    message.locator("summary").click()
    expect(message.locator("tbody td").first).to_have_text("counter")

    tab(page, "Log")
    expect(page.locator(".live")).to_have_text("following")
    ann.count_up()
    expect(page.locator(".record", has_text="web_socket_message").first).to_be_visible()
    expect(page.locator(".record", has_text="run")).to_have_count(0)


@pytest.mark.feature("C-DX-1")
def test_keys_tables_and_the_alarm(dev: Server, new_browser: NewBrowser) -> None:
    assert ask(dev.port, "/books/moby") == (200, "kept")
    page = inspect(new_browser, dev, "moby")
    expect(page.locator(".entry")).to_have_count(2)
    title = page.locator(".entry", has_text="title")
    expect(title.locator(".value").first).to_have_text("<img src=x onerror=alert(1)>")
    title.locator("summary").click()
    title.get_by_role("button", name="Edit").click()
    page.get_by_label("Value", exact=True).fill("Moby Dick")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".entry", has_text="title").locator(".value").first).to_have_text("Moby Dick")

    tab(page, "SQL")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("button", name="Next").click()
    expect(page.locator("tbody tr").first).to_contain_text("Page 50")
    query = page.get_by_label("Query")
    query.fill("DELETE FROM pages WHERE number >= 2")
    query.press("Control+Enter")
    expect(page.locator("p.problem")).to_contain_text("This statement writes")
    page.get_by_label("may write").check()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".chip", has_text="pages")).to_have_text("pages2")

    tab(page, "Log")
    expect(page.locator(".live")).to_have_text("following")
    assert ask(dev.port, "/books/moby") == (200, "kept")
    expect(page.locator(".record", has_text="asked for")).to_be_visible()

    tab(page, "Manage")
    page.get_by_role("button", name="Fire now").click()
    dev.wait_for_log("the alarm rings")
    tab(page, "Keys")
    expect(page.locator(".entry", has_text="rang")).to_be_visible()


def test_going_back_in_time_and_deleting(dev: Server, new_browser: NewBrowser) -> None:
    assert ask(dev.port, "/books/moby") == (200, "kept")
    page = inspect(new_browser, dev, "moby")
    page.wait_for_timeout(1100)  # the history has an entry for each second
    title = page.locator(".entry", has_text="title")
    title.locator("summary").click()
    title.get_by_role("button", name="Delete").click()
    confirm(page, "Delete key")
    expect(page.locator(".entry")).to_have_count(1)
    tab(page, "History")
    newest = page.locator(".past").first
    expect(newest.locator(".author")).to_have_text("an administrator")
    expect(newest).to_contain_text("title<img src=x onerror=alert(1)>→gone")
    expect(page.locator(".past").nth(1).locator(".author")).to_have_text("127.0.0.1")
    page.get_by_label("Time", exact=True).press("Home")
    expect(page.locator(".preview li")).to_have_text("titlenot there→<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Go back").click()
    confirm(page, "Go back")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.locator(".past").first).to_contain_text("went back to")
    expect(page.locator(".preview")).to_contain_text("Nothing would change")
    tab(page, "Keys")
    expect(page.locator(".entry", has_text="title")).to_be_visible()

    tab(page, "Manage")
    page.get_by_role("button", name="Delete all it keeps").click()
    confirm(page, "Delete")
    expect(page.locator(".object", has_text="moby")).to_have_count(0)


def test_the_past_of_a_cell(dev: Server, new_browser: NewBrowser) -> None:
    ann = new_browser(f"{dev.url}/lobby").expect_saved()
    page = inspect(new_browser, dev, "lobby")
    ann.count_up()
    expect(page.locator(".values .value").first).to_have_text("1")
    set_text(page, "counter: 1", "41")
    ann.expect_counter(41)
    ann.count_up()
    expect(page.locator(".values .value").first).to_have_text("42")
    page.get_by_role("button", name="counter: 42").focus()
    lines = page.locator(".story .stamps > li")
    expect(lines).to_have_count(4)
    expect(lines.locator(".value")).to_have_text(["42", "41", "1", "0"])
    expect(lines.nth(3)).to_contain_text("a default, without a time")
    expect(lines.nth(0)).to_have_class("present")
    expect(lines.nth(0).locator(".author")).to_contain_text("client ")
    expect(lines.nth(1).locator(".author")).to_have_text("an administrator")
    expect(lines.nth(0)).to_contain_text("won by its later time")
    expect(lines.nth(0)).to_contain_text(re.compile(r"counter \d+ · client .{5}"))

    tab(page, "History")
    expect(page.locator(".past").first.locator(".changes li")).to_have_text("counter41→42")


def test_taking_an_object_elsewhere(dev: Server, new_browser: NewBrowser, tmp_path: Path) -> None:
    for name in ("moby", "dracula"):
        assert ask(dev.port, f"/books/{name}") == (200, "kept")
    page = inspect(new_browser, dev, "moby")
    page.get_by_role("button", name="+ key").click()
    page.get_by_label("Key", exact=True).fill("mark")
    page.get_by_label("Type").select_option("number")
    page.get_by_label("Value", exact=True).fill("7")
    page.get_by_label("Value", exact=True).press("Enter")
    expect(page.locator(".entry", has_text="mark")).to_be_visible()
    tab(page, "Manage")
    with page.expect_download() as copying:
        page.get_by_role("button", name="Copy as SQLite").click()
    assert copying.value.path().read_bytes().startswith(b"SQLite format 3")
    with page.expect_download() as exporting:
        page.get_by_role("button", name="Export JSON").click()
    exporting.value.save_as(tmp_path / exporting.value.suggested_filename)

    page.locator(".object", has_text="dracula").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("dracula")
    tab(page, "Manage")
    page.get_by_label("Document to import").set_input_files(tmp_path / "moby.json")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".notice.bad")).to_contain_text("keeps something already")
    page.get_by_label("replace what is there").check()
    page.get_by_role("button", name="Import", exact=True).click()
    confirm(page, "Replace")
    expect(page.locator(".notice.good", has_text="It was imported.")).to_be_visible()
    tab(page, "Keys")
    expect(page.locator(".entry", has_text="mark").locator(".value").first).to_have_text("7")


def test_keyboard_and_small_windows(dev: Server, new_browser: NewBrowser) -> None:
    new_browser(f"{dev.url}/lobby").expect_saved()
    page = inspect(new_browser, dev)
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.locator(".object")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("lob")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("lobby")
    expect(page.locator(".list")).to_be_hidden()
    page.get_by_role("button", name='pets fido name: "fido"').focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name='pets fido species: "dog"')).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name='pets fido species: "dog"')).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator(".object")).to_be_visible()


def test_pages_of_others_get_nothing(dev: Server, browser: Browser) -> None:
    assert ask(dev.port, "/books/moby") == (200, "kept")
    api = "/_durabase/api/objects"
    assert ask(dev.port, api)[0] == 200
    assert ask(dev.port, api, origin="http://evil.example")[0] == 403
    assert ask(dev.port, api, sec_fetch_site="cross-site")[0] == 403
    assert ask(dev.port, api, host="rebound.example")[0] == 403
    assert ask(dev.port, api, x_forwarded_for="10.0.0.1")[0] == 403
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://localhost:{dev.port}/books/moby")  # another origin, of the same machine
        tried = page.evaluate(
            "(url) => Promise.all([fetch(url).then(() => 'read', () => 'refused'),"
            " fetch(url, {mode: 'no-cors', method: 'POST'}).then((r) => r.type, () => 'refused')])",
            f"{dev.url}/_durabase/api/object?class=Book&name=moby",
        )
        assert tried[0] == "refused"
    assert '"name": "moby"' in ask(dev.port, api)[1]


def test_the_demo_has_it_for_this_machine(demo: Server, room: str, new_browser: NewBrowser) -> None:
    name = room.rpartition("/")[2]
    new_browser(room).expect_saved().count_up()
    page = new_browser(f"{demo.url}/_durabase/").page
    page.locator(".object", has_text=name).click()
    expect(page.locator(".values .value").first).to_have_text("1")
    assert ask(demo.port, "/_durabase/", x_forwarded_for="10.0.0.1")[0] == 403


def test_production_has_it_on_the_admin_address_only(
    tmp_path: Path, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "DURABASE_ADMIN_TOKEN", "sesame")
    admin = free_port()
    server = Server(tmp_path, "serve", str(write_inspected_project(tmp_path)), "--admin", str(admin)).start()
    try:
        assert ask(server.port, "/books/moby") == (200, "kept")
        assert ask(server.port, "/_durabase/api/objects")[0] == 426  # the program's answer
        assert ask(admin, "/_durabase/api/objects")[0] == 401
        page = new_browser(f"http://127.0.0.1:{admin}/_durabase/").page
        page.get_by_label("Token").fill("wrong")
        page.get_by_label("Token").press("Enter")
        page.get_by_label("Token").fill("sesame")
        page.get_by_label("Token").press("Enter")
        expect(page.locator(".object", has_text="moby")).to_be_visible()
        page.locator(".object", has_text="moby").click()
        tab(page, "Log")
        expect(page.locator(".live")).to_have_text("following")
    finally:
        assert server.stop() == 0, server.log
