"""Vite as a child, with a pretend npm."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.cli.console import Console
from durabase.cli.frontend import dev as module
from durabase.cli.frontend.built import BuiltClient
from durabase.cli.frontend.dev import DevClient
from durabase.web import Request, Response

from .fakes import install_fakes, make_client, until

PAGE = {"accept": "text/html"}


class Told:
    """A console whose lines can be waited for."""

    def __init__(self) -> None:
        self.text = io.StringIO()
        self.console = Console(self.text, self.text)


@pytest.fixture(name="client")
def make_fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install_fakes(tmp_path / "bin", monkeypatch)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0)
    return make_client(tmp_path / "client")


def run(client: Path, use: Callable[[DevClient], Awaitable[None]], built: Path | None = None) -> str:
    told = Told()

    async def main() -> None:
        async with asyncio.timeout(30):
            frontend = DevClient(client, BuiltClient(built) if built is not None else None, told.console)
            async with frontend:
                await use(frontend)

    asyncio.run(main())
    return told.text.getvalue()


async def get(frontend: DevClient, path: str, **headers: str) -> str | None:
    response = await frontend.fetch(Request(f"http://host{path}", headers=headers))
    return None if response is None else await response.text()


def test_pages_and_files_are_vites(client: Path) -> None:
    async def use(frontend: DevClient) -> None:
        page = await get(frontend, "/room?a=1", **PAGE)
        assert page is not None
        assert page.startswith("vite /room?a=1 127.0.0.1:")
        for path in ("/", "/src/main.tsx", "/@vite/client", "/node_modules/x", "/logo.svg"):
            assert (await get(frontend, path) or "").startswith(f"vite {path} ")
        assert await get(frontend, "/room") is None
        same = await frontend.fetch(Request("http://host/same.js"))
        assert same is not None
        assert same.status == 304

    output = run(client, use)
    assert "[vite] served /logo.svg" in output
    assert "VITE v8" not in output


def test_what_is_large_is_passed_on_in_pieces(client: Path) -> None:
    async def use(frontend: DevClient) -> None:
        response = await frontend.fetch(Request("http://host/large", headers=PAGE))
        assert response is not None
        pieces = [piece async for piece in response.iter_body()]
        assert len(pieces) > 1
        assert sum(map(len, pieces)) == int(response.headers["content-length"] or 0)

    run(client, use)


def test_it_is_started_again(client: Path) -> None:
    async def use(frontend: DevClient) -> None:
        response = await frontend.fetch(Request("http://host/__end"))
        assert response is not None
        assert response.status == 502

        async def answers() -> bool:
            return (await get(frontend, "/", **PAGE) or "").startswith("vite / ")

        await until(answers)

    assert "Vite ended with exit code 3; starting it again." in run(client, use)
    assert (client / "calls.txt").read_text() == "run dev\nrun dev\n"


def test_packages_are_installed_and_the_built_client_served_meanwhile(client: Path, tmp_path: Path) -> None:
    (client / "node_modules").rmdir()
    built = tmp_path / "dist"
    built.mkdir()
    (built / "index.html").write_text("built")

    async def use(frontend: DevClient) -> None:
        await asyncio.sleep(0)
        assert await get(frontend, "/", **PAGE) == "built"

        async def vite_answers() -> bool:
            return (await get(frontend, "/", **PAGE) or "").startswith("vite / ")

        await until(vite_answers)

    said = run(client, use, built)
    assert said.index("npm install in") < said.index("Reload the page: it is Vite's now.")
    assert (client / "calls.txt").read_text() == "install --no-audit\nrun dev\n"


@pytest.mark.parametrize("failing", ["install", "run"])
def test_without_vite_the_built_client_is_served(client: Path, tmp_path: Path, failing: str) -> None:
    (client / f"fails-{failing}").touch()
    if failing == "install":
        (client / "node_modules").rmdir()
    (tmp_path / "index.html").write_text("built")

    async def use(frontend: DevClient) -> None:
        async def has_given_up() -> bool:
            return "Serving the built client, without hot reload: " in told()

        await until(has_given_up)
        assert await get(frontend, "/room", **PAGE) == "built"
        refused = await frontend.upgrade(hmr_request())
        assert refused is not None
        assert refused.status == 404

    text = io.StringIO()
    told = text.getvalue

    async def main() -> None:
        async with asyncio.timeout(30):
            async with DevClient(client, BuiltClient(tmp_path), Console(text, text)) as frontend:
                await use(frontend)

    asyncio.run(main())
    assert "npm says why" in told()


def test_without_node(client: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    async def use(frontend: DevClient) -> None:
        assert await get(frontend, "/", **PAGE) is None

    assert "Serving no client: Node.js is not installed; install version 20.19 or newer.\n" in run(
        client, use
    )


def test_an_old_node(client: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_fakes(client.parent / "bin", monkeypatch, node="v18.19.0")

    async def use(frontend: DevClient) -> None:
        assert await get(frontend, "/", **PAGE) is None

    assert "Serving no client: Node.js v18.19.0: install version 20.19 or newer.\n" in run(client, use)


def hmr_request() -> Request:
    return Request(
        "http://host/?token=x", headers={"upgrade": "websocket", "sec-websocket-protocol": "vite-hmr"}
    )


def test_only_the_sockets_of_vite_are_vites(client: Path) -> None:
    async def use(frontend: DevClient) -> None:
        assert await frontend.upgrade(Request("http://host/room", headers={"upgrade": "websocket"})) is None
        refused = await frontend.upgrade(hmr_request())  # the pretend server speaks no WebSocket
        assert isinstance(refused, Response)
        assert refused.status == 502

    run(client, use)
