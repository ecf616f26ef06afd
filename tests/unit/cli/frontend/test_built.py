"""Pages and files of a built client; everything else is the program's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durabase.cli.frontend.built import BuiltClient
from durabase.cli.frontend.site import Site
from durabase.web import Request, Response


@pytest.fixture(name="dist")
def make_dist(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("page")
    (dist / "assets" / "index-abc.js").write_text("script")
    (tmp_path / "secret").write_text("secret")
    return dist


def ask(dist: Path | None, path: str, method: str = "GET", **headers: str) -> tuple[str, str | None]:
    async def program(request: Request) -> Response:
        return Response("program")

    async def main() -> tuple[str, str | None]:
        site = Site(program, BuiltClient(dist) if dist is not None else None)
        response = await site.fetch(Request(f"http://host{path}", method=method, headers=headers))
        return await response.text(), response.headers["cache-control"]

    return asyncio.run(main())


def test_pages_of_another_worker_are_none_of_the_clients(dist: Path) -> None:
    async def program(request: Request) -> Response:
        return Response("program")

    async def main() -> list[str]:
        site = Site(program, BuiltClient(dist), lambda request: "other" in request.url)
        urls = ("http://host/", "http://other/", "http://other/assets/index-abc.js")
        return [await (await site.fetch(Request(url))).text() for url in urls]

    assert asyncio.run(main()) == ["page", "program", "program"]


REVALIDATE = "public, max-age=0, must-revalidate"
FOREVER = "public, max-age=31536000, immutable"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/", {}, ("page", REVALIDATE)),
        ("/any/room", {"accept": BROWSER}, ("page", REVALIDATE)),
        ("/any/room.of.mine", {"accept": BROWSER}, ("page", REVALIDATE)),
        ("/" + "x" * 5000, {"accept": BROWSER}, ("page", REVALIDATE)),
        ("/any/room", {"accept": "*/*"}, ("program", None)),
        ("/any/room", {}, ("program", None)),
        ("/assets/index-abc.js", {}, ("script", FOREVER)),
        ("/assets/gone.js", {"accept": "*/*"}, ("program", None)),
        ("/../secret", {}, ("program", None)),
        ("/", {"upgrade": "websocket"}, ("program", None)),
        ("/", {"upgrade": "WebSocket"}, ("program", None)),
    ],
)
def test_who_answers(dist: Path, path: str, headers: dict[str, str], expected: tuple[str, str]) -> None:
    assert ask(dist, path, **headers) == expected


def test_other_methods_are_the_programs(dist: Path) -> None:
    assert ask(dist, "/", "POST", accept=BROWSER) == ("program", None)


def test_head(dist: Path) -> None:
    assert ask(dist, "/", "HEAD")[1] == REVALIDATE


def test_without_a_client_everything_is_the_programs() -> None:
    assert ask(None, "/", accept=BROWSER) == ("program", None)
