"""Which file answers which path."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from durabase.web import Request, Response
from durabase.workers.bindings.assets import Assets
from durabase.workers.config import AssetsConfig

FILES = {
    "index.html": "root",
    "about.html": "about",
    "x/index.html": "x",
    "both.html": "page",
    "both/index.html": "folder",
    "plain": "plain",
    "data.json": "{}",
    "404.html": "lost",
    "x/404.html": "lost in x",
    "favicon.ico": "icon",
}


@pytest.fixture(name="directory")
def make_directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "public" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "public"


def ask(directory: Path, path: str, method: str = "GET", **config: Any) -> tuple[int, str]:
    async def main() -> tuple[int, str]:
        assets = Assets(AssetsConfig(str(directory), **config))
        response = await assets.fetch(f"http://host{path}", method=method)
        if response.status == 307:
            return 307, response.headers["location"] or ""
        return response.status, await response.text()

    return asyncio.run(main())


def headers_of(directory: Path, path: str, **headers: str) -> Response:
    request = Request(f"http://host{path}", headers=headers)
    return asyncio.run(Assets(AssetsConfig(str(directory))).fetch(request))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", (200, "root")),
        ("/index.html", (307, "/")),
        ("/index", (307, "/")),
        ("/about", (200, "about")),
        ("/about.html", (307, "/about")),
        ("/about/", (307, "/about")),
        ("/about.html?q=1", (307, "/about?q=1")),
        ("/x", (307, "/x/")),
        ("/x/", (200, "x")),
        ("/x/index.html", (307, "/x/")),
        ("/x/index", (307, "/x/")),
        ("/both", (200, "page")),
        ("/both/", (200, "folder")),
        ("/plain", (200, "plain")),
        ("/data.json", (200, "{}")),
        ("/nope", (404, "")),
        ("/nope/", (404, "")),
        ("/../secret.txt", (404, "")),
        ("/%2e%2e/secret.txt", (404, "")),
        ("/..%2fsecret.txt", (404, "")),
        ("/%00", (404, "")),
        ("/" + "x" * 5000, (404, "")),
        ("/" + "x/" * 3000, (404, "")),
        ("/%ff%fe", (404, "")),
    ],
)
def test_auto_trailing_slash(directory: Path, path: str, expected: tuple[int, str]) -> None:
    assert ask(directory, path) == expected


@pytest.mark.parametrize(
    ("handling", "path", "expected"),
    [
        ("force-trailing-slash", "/about", (307, "/about/")),
        ("force-trailing-slash", "/about/", (200, "about")),
        ("force-trailing-slash", "/x", (307, "/x/")),
        ("drop-trailing-slash", "/x/", (307, "/x")),
        ("drop-trailing-slash", "/x", (200, "x")),
        ("drop-trailing-slash", "/about/", (307, "/about")),
        ("none", "/about.html", (200, "about")),
        ("none", "/about", (404, "")),
        ("none", "/", (404, "")),
    ],
)
def test_html_handling(directory: Path, handling: str, path: str, expected: tuple[int, str]) -> None:
    assert ask(directory, path, html_handling=handling) == expected


@pytest.mark.parametrize(
    ("handling", "path", "expected"),
    [
        ("single-page-application", "/any/path", (200, "root")),
        ("404-page", "/any/path", (404, "lost")),
        ("404-page", "/x/y/z", (404, "lost in x")),
    ],
)
def test_not_found_handling(directory: Path, handling: str, path: str, expected: tuple[int, str]) -> None:
    assert ask(directory, path, not_found_handling=handling) == expected


@pytest.mark.parametrize("path", ["/about", "/nope"])
def test_other_methods(directory: Path, path: str) -> None:
    assert ask(directory, path, "POST")[0] == 405


def test_a_link_out_of_the_directory_leads_nowhere(directory: Path) -> None:
    (directory / "link.txt").symlink_to(directory.parent / "secret.txt")
    assert ask(directory, "/link.txt") == (404, "")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/data.json", "application/json"),
        ("/favicon.ico", "image/vnd.microsoft.icon"),
        ("/plain", "application/octet-stream"),
    ],
)
def test_content_types(directory: Path, path: str, expected: str) -> None:
    assert headers_of(directory, path).headers["content-type"] == expected


def test_revalidation(directory: Path) -> None:
    first = headers_of(directory, "/about")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert tag is not None
    assert headers_of(directory, "/about", **{"if-none-match": f'"other", {tag}'}).status == 304
    (directory / "about.html").write_text("changed")
    assert headers_of(directory, "/about", **{"if-none-match": tag}).status == 200


def test_large_files_are_streamed(directory: Path) -> None:
    data = bytes(range(256)) * 4000
    (directory / "large.bin").write_bytes(data)

    async def main() -> tuple[str | None, int, bytes]:
        response = await Assets(AssetsConfig(str(directory))).fetch("http://host/large.bin")
        pieces = [piece async for piece in response.iter_body()]
        return response.headers["content-length"], len(pieces), b"".join(pieces)

    length, count, whole = asyncio.run(main())
    assert (length, whole) == (str(len(data)), data)
    assert count > 1
