"""Pages of other origins in a real browser: resources, events, new tokens; and pages that may not."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from durabase.sync_server import RoomTokens
from e2e._server import Server
from hostile._project import ROOM, write_project

KEYS = {"key": "k" * 32}
PROGRAM = ROOM.replace(
    'Objects")', f'Objects", authorize_by_token(RoomTokens({KEYS!r})), rest="/api")'
).replace("import WsServerDurableObject", "import RoomTokens, WsServerDurableObject, authorize_by_token")
EDIT = """async ([api, token]) => {
    const ask = (path, method, body, headers) => fetch(`${api}/rooms/a${path}`, {
        method,
        body: body === undefined ? undefined : JSON.stringify(body),
        headers: {'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers},
    });
    const made = await ask('/tables/pets/rows/fido', 'PUT', {price: 5});
    const tag = made.headers.get('etag');
    const stale = await ask('/tables/pets/rows/fido', 'PUT', {price: 6}, {'if-match': '"0"'});
    const problem = await stale.json();
    const added = await ask('/tables/pets/rows', 'POST', {price: 7});
    const read = await ask('/tables/pets', 'GET');
    const gone = await ask('/tables/pets', 'DELETE', undefined, {'if-match': read.headers.get('etag')});
    return {
        made: [made.status, tag !== null],
        stale: [problem.status, stale.headers.get('etag') === tag],
        added: added.headers.get('location'),
        read: await read.json(),
        gone: gone.status,
        refused: (await ask('/values', 'GET', undefined, {authorization: 'Bearer x'})).status,
    };
}"""
FOLLOW = """([api, token]) => new Promise((resolve, reject) => {
    const events = new EventSource(`${api}/rooms/a/events?token=${token}`);
    events.addEventListener('snapshot', ({data}) => { events.close(); resolve(JSON.parse(data)); });
    events.addEventListener('error', () => { events.close(); resolve('refused'); });
})"""
REFRESH = """async ([url, token]) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/a?session=s`, ['durabase', `bearer.${token}`]);
    const opened = await new Promise((resolve) => {
        socket.onopen = () => resolve(true);
        socket.onerror = () => resolve(false);
    });
    const headers = {authorization: `Bearer ${token}`};
    const response = await fetch(`${url}/a?session=s`, {method: 'POST', headers});
    return [opened, (await response.json()).refreshed];
}"""
CAN_READ = """async ([api, token, method]) => {
    try {
        const headers = {'content-type': 'application/json', authorization: `Bearer ${token}`};
        const body = method === 'GET' ? undefined : '1';
        return (await fetch(`${api}/rooms/a/values/v`, {method, headers, body})).status;
    } catch (error) {
        return String(error);
    }
}"""


class Page200(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(name="pages", scope="module")
def serve_pages() -> Iterator[int]:
    """Where empty pages are, of two origins: ``127.0.0.1`` and ``localhost``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page200)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(name="rooms", scope="module")
def serve_rooms(pages: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("cors")
    project = write_project(folder, PROGRAM)
    server = Server(folder, "serve", str(project), "--allow-origin", f"http://127.0.0.1:{pages}").start()
    yield server
    server.kill()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def token() -> str:
    return RoomTokens(KEYS).issue("a", "write", "ann", expires_in=600)


def test_a_page_of_an_allowed_origin_may_all_that_its_user_may(page: Page, pages: int, rooms: Server) -> None:
    page.goto(f"http://127.0.0.1:{pages}/")
    arguments = [f"{rooms.url}/api", token()]
    assert page.evaluate(EDIT, arguments) == {
        "made": [201, True],
        "stale": [412, True],
        "added": "rows/0",
        "read": {"fido": {"price": 5}, "0": {"price": 7}},
        "gone": 204,
        "refused": 401,
    }
    assert page.evaluate(FOLLOW, arguments) == [{}, {}]
    assert page.evaluate(REFRESH, [rooms.url, token()]) == [True, 1]


def test_a_page_of_another_origin_gets_nothing(page: Page, pages: int, rooms: Server) -> None:
    page.goto(f"http://localhost:{pages}/")
    for method in ("GET", "PUT", "DELETE"):
        assert "Failed to fetch" in page.evaluate(CAN_READ, [f"{rooms.url}/api", token(), method])
    assert page.evaluate(FOLLOW, [f"{rooms.url}/api", token()]) == "refused"
    page.goto(f"{rooms.url}/api/openapi.json")  # the server's own page asks nobody
    assert page.evaluate(CAN_READ, [f"{rooms.url}/api", token(), "GET"]) == 404  # nothing was written
