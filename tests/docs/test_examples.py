"""Every example of the documentation and of the README runs, and what it claims is true."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from e2e._server import Server
from unit.persisters.postgres_server import PostgresServer

from ._pages import PAGES, blocks_of, name_of, run_blocks, servers_of


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """The address of a server that runs the demo."""
    server = Server(folder, "demo").start()
    try:
        yield f"127.0.0.1:{server.port}"
        server.stop()
    finally:
        server.kill()


@contextmanager
def postgres(_folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    with PostgresServer() as server, closing(server.database()) as database:
        yield database.url


SERVERS = {"demo": demo, "postgres": postgres}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=name_of)
def test_the_examples_of_a_page(
    page: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        addresses = {
            name: stack.enter_context(SERVERS[name](tmp_path_factory.mktemp("server")))
            for name in servers_of(page)
        }
        run_blocks(blocks_of(page), addresses)


def page_with(*codes: str) -> list[str]:
    return [f"Text.\n\n```python\n{code}\n```\n" for code in codes]


def run(*codes: str) -> None:
    run_blocks(blocks_of(PAGES[0], "\n".join(page_with(*codes))))


def test_blocks_share_their_names_and_may_await() -> None:
    run(
        "import asyncio\nx = [1]", "await asyncio.sleep(0)\nx.append(2)", "assert x == [1, 2]\nx  # -> [1, 2]"
    )


def test_a_claim_that_is_false_is_found() -> None:
    with pytest.raises(AssertionError, match="the page says 2, it is 1"):
        run("x = 1", "x  # -> 2")


def test_an_error_tells_the_line_of_the_page() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run("x = 1", "y = 0\nx / y")
    entry = caught.traceback[-1]
    assert (entry.path.name, entry.lineno + 1) == ("README.md", 11)


def test_other_languages_are_left_alone() -> None:
    assert blocks_of(PAGES[0], "```console\n$ x\n```\n\n```text\ny\n```\n") == []
