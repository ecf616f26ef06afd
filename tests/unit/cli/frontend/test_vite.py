"""Vite as a child process, with a pretend npm: whether it can run, its packages, its start and end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.cli.console import Console
from durabase.cli.frontend.vite import ViteProcess, install_packages, node_problem
from durabase.errors import ServerError

from .fakes import install_fakes, make_client, until


@pytest.fixture(name="client")
def make_fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    install_fakes(tmp_path / "bin", monkeypatch)
    return make_client(tmp_path / "client")


def run(use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await use()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        ("v20.19.0", None),
        ("v24.0.1", None),
        ("v20.18.9", "Node.js v20.18.9: install version 20.19 or newer."),
        ("v18.99.0", "Node.js v18.99.0: install version 20.19 or newer."),
        ("nonsense", "Node.js nonsense: install version 20.19 or newer."),
        ("", "Node.js : install version 20.19 or newer."),
    ],
)
def test_versions_of_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, problem: str | None
) -> None:
    install_fakes(tmp_path / "bin", monkeypatch, version)

    async def use() -> None:
        assert await node_problem() == problem

    run(use)


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    install_fakes(tmp_path / "bin", monkeypatch)
    (tmp_path / "bin" / missing).unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    async def use() -> None:
        assert await node_problem() == "Node.js is not installed; install version 20.19 or newer."

    run(use)


def test_packages_are_installed_or_it_is_said_why_not(client: Path) -> None:
    async def use() -> None:
        (client / "node_modules").rmdir()
        await install_packages(client)
        assert (client / "node_modules").is_dir()
        (client / "fails-install").touch()
        with pytest.raises(ServerError, match=rf"^npm install failed in {client}:\nnpm says why$"):
            await install_packages(client)

    run(use)


def test_it_listens_when_it_has_started_and_its_lines_are_told_from_then_on(client: Path) -> None:
    out = io.StringIO()

    async def use() -> None:
        vite = await ViteProcess.start(client, Console(out, out))
        reader, writer = await asyncio.open_connection("127.0.0.1", vite.port)
        writer.write(b"GET /a.js HTTP/1.0\r\nhost: x\r\n\r\n")
        assert b"vite /a.js x" in await reader.read()
        writer.close()
        await until(lambda: _is_told(out, "[vite] served /a.js"))
        await vite.stop()
        assert await vite.wait() != 0

    run(use)
    assert out.getvalue() == "[vite] served /a.js\n"
    assert (client / "calls.txt").read_text() == "run dev\n"


async def _is_told(out: io.StringIO, line: str) -> bool:
    return line in out.getvalue()


def test_a_start_that_fails_says_why(client: Path) -> None:
    (client / "fails-run").touch()

    async def use() -> None:
        with pytest.raises(ServerError, match=r"^Vite could not be started:\nnpm says why$"):
            await ViteProcess.start(client, Console(io.StringIO(), io.StringIO()))

    run(use)


def test_it_can_be_ended_without_asking(client: Path) -> None:
    async def use() -> None:
        vite = await ViteProcess.start(client, Console(io.StringIO(), io.StringIO()))
        vite.kill()
        assert await vite.wait() == -9

    run(use)
