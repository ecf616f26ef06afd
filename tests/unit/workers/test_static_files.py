"""Files of one directory: which path names which, and what the response says of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durabase.web import Request, Response
from durabase.workers.static_files import StaticFiles, url_path


@pytest.fixture(name="directory")
def make_directory(tmp_path: Path) -> Path:
    for name in ("public/a.txt", "public/x/ä b.html", "public/..x", "secret.txt"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "public"


def answer(file: Path, method: str = "GET", **options: str) -> Response:
    async def main() -> Response:
        request = Request("http://h/", method=method, headers=options.get("headers"))  # type: ignore[arg-type]
        more = {key: value for key, value in options.items() if key != "headers"}
        return await StaticFiles(file.parent).response(file, request, **more)  # type: ignore[arg-type]

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("url", "path"),
    [("http://h", "/"), ("http://h/%C3%A4%20b?q#f", "/ä b"), ("http://h/%ff%2f", "/\ufffd/")],
)
def test_paths_are_decoded(url: str, path: str) -> None:
    assert url_path(Request(url)) == path


@pytest.mark.parametrize("path", ["/a.txt", "a.txt", "//a.txt", "/./a.txt", "/x/ä b.html", "/..x"])
def test_paths_that_name_a_file(directory: Path, path: str) -> None:
    found = StaticFiles(directory).find(path)
    assert found is not None
    assert found.read_text() == "public/" + path.lstrip("/").removeprefix("./")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "", "/x", "/x/", "/a.txt/", "/nope", "/../secret.txt", "/x/../a.txt", "/x\\..\\a.txt"),
        *("/a.txt\0", "/" + "x" * 5000, "/link.txt", "/loop"),
    ],
)
def test_paths_that_name_none(directory: Path, path: str) -> None:
    (directory / "link.txt").symlink_to(directory.parent / "secret.txt")
    (directory / "loop").symlink_to(directory / "loop")
    assert StaticFiles(directory).find(path) is None


def test_a_directory_may_be_a_link_itself(directory: Path) -> None:
    link = directory.parent / "link"
    link.symlink_to(directory)
    assert StaticFiles(link).find("/a.txt") == directory / "a.txt"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.css.map", "application/json"),
        ("a.png", "image/png"),
        ("a", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_content_types(tmp_path: Path, name: str, content_type: str) -> None:
    (tmp_path / name).touch()
    assert answer(tmp_path / name).headers["content-type"] == content_type


def test_what_a_response_says(directory: Path) -> None:
    response = answer(directory / "a.txt")
    assert (response.status, response.body_bytes()) == (200, b"public/a.txt")
    assert response.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert response.headers["etag"] == answer(directory / "a.txt", "HEAD").headers["etag"]
    other = answer(directory / "a.txt", cache_control="no-store")
    assert other.headers["cache-control"] == "no-store"


def test_what_is_known_is_not_sent_again(directory: Path) -> None:
    tag = answer(directory / "a.txt").headers["etag"]
    known = {"if-none-match": f'"other", {tag}'}
    response = answer(directory / "a.txt", headers=known)  # type: ignore[arg-type]
    assert (response.status, response.body, response.headers["etag"]) == (304, None, tag)
    assert "content-type" not in response.headers
    assert answer(directory / "a.txt", headers=known, status=404).status == 404  # type: ignore[arg-type]
    (directory / "a.txt").write_text("changed")
    assert answer(directory / "a.txt", headers=known).status == 200  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS"])
def test_other_methods(directory: Path, method: str) -> None:
    response = answer(directory / "a.txt", method)
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")


def test_what_can_not_be_read(directory: Path) -> None:
    for name, complaint in (("x", "is no regular file"), ("nope", "No such file")):
        with pytest.raises(FileNotFoundError, match=complaint):
            answer(directory / name)


def test_files_above_256_kibibytes_are_streamed(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    data = bytes(range(256)) * 1024

    async def sent() -> tuple[str | None, list[int], bytes]:
        response = await StaticFiles(tmp_path).response(file, Request("http://h/"))
        pieces = [piece async for piece in response.iter_body()]
        return response.headers.get("content-length"), [len(piece) for piece in pieces], b"".join(pieces)

    file.write_bytes(data)
    assert asyncio.run(sent()) == (None, [262_144], data)
    file.write_bytes(data + b"x")
    assert asyncio.run(sent()) == ("262145", [65_536] * 4 + [1], data + b"x")
