"""Asking for administration: whom, how, and what is said where nobody answers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from durabase.cli.admin_client import Asked, LocalAdmin, RemoteAdmin, find_admin, running_admin
from durabase.cli.monitor import ADDRESS_FILE
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project, load_project
from durabase.durable_objects.storage.lock import FolderLock
from durabase.errors import DurabaseError
from unit.http_server import served

from .running import write_project


class Server(BaseHTTPRequestHandler):
    """Tells what it was asked; below /status/N it answers with that status and the query's text."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
        asked = [self.command, self.path, self.headers["authorization"], body]
        status, answer = 200, json.dumps(asked).encode() + b"\nsecond\n"
        if self.path.startswith("/status/"):
            path, _, text = self.path.partition("?")
            status, answer = int(path.rpartition("/")[2]), text.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer) + (1 if self.path == "/short" else 0)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 (so called by the base class)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module", name="url")
def serve() -> Iterator[str]:
    with served(Server) as url:
        yield url


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    lock = FolderLock(folder)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


@pytest.fixture(name="project")
def make_project(tmp_path: Path) -> Project:
    return load_project(ServeOptions(write_project(tmp_path / "p")))


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ({}, "/object"),
        ({"a": None}, "/object"),
        ({"name": "a/b ä", "b": None}, "/object?name=a%2Fb+%C3%A4"),
        ({"of": ["x", "y"], "b": ""}, "/object?of=x&of=y&b="),
    ],
)
def test_targets(query: dict[str, str | list[str] | None], target: str) -> None:
    assert Asked("GET", "/object", query).target == target


def test_a_server_is_asked_with_the_token(url: str) -> None:
    with RemoteAdmin(url, "secret") as admin:
        answer = admin.ask(Asked("POST", "/a", {"b": "c"}, b"body"))
        assert json.loads(answer.splitlines()[0]) == ["POST", "/a?b=c", "Bearer secret", "body"]
        lines = list(RemoteAdmin(url, None).lines(Asked("GET", "/")))
        assert json.loads(lines[0]) == ["GET", "/", None, ""]
        assert lines[1:] == [b"second\n"]
        assert b"".join(admin.chunks(Asked("GET", "/a"))).endswith(b"second\n")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [('{"error":"no"}', "no"), ("plain", "plain"), ("[1]", "[1]"), ('{"other":1}', '{"other":1}')],
)
def test_what_a_server_refuses(url: str, text: str, complaint: str) -> None:
    admin, asked = RemoteAdmin(url, None), Asked("GET", f"/status/403?{text}")
    for ask in (admin.ask, lambda asked: list(admin.lines(asked)), lambda asked: list(admin.chunks(asked))):
        with pytest.raises(DurabaseError) as caught:
            ask(asked)
        assert str(caught.value) == complaint


def test_an_answer_that_ends_early(url: str) -> None:
    with pytest.raises(
        DurabaseError, match=r"^http://127\.0\.0\.1:\d+ (has ended its answer early|does not answer)"
    ):
        RemoteAdmin(url, None).ask(Asked("GET", "/short"))


def test_nobody_answers() -> None:
    admin = RemoteAdmin("http://127.0.0.1:1", None)
    for ask in (admin.ask, lambda asked: list(admin.lines(asked)), lambda asked: list(admin.chunks(asked))):
        with pytest.raises(DurabaseError, match=r"^http://127\.0\.0\.1:1 does not answer: "):
            ask(Asked("GET", "/"))


def test_a_directory_that_no_server_uses_is_used_by_us(project: Project) -> None:
    with pytest.raises(DurabaseError, match=r"^There are no objects in .*state yet\.$"):
        find_admin(project, None)
    project.state_dir.mkdir(parents=True)
    with find_admin(project, None) as admin:
        assert isinstance(admin, LocalAdmin)
        assert json.loads(admin.ask(Asked("GET", "/classes")))["classes"][0]["class"] == "Room"
        with pytest.raises(DurabaseError, match="There is no object a of Room"):
            admin.ask(Asked("GET", "/object", {"class": "Room", "name": "a"}))
        with pytest.raises(DurabaseError, match="has no admin address: start it with --admin 8788"):
            find_admin(project, None)
    with find_admin(project, None) as again:
        assert b"".join(again.chunks(Asked("GET", "/classes"))) == again.ask(Asked("GET", "/classes"))


def test_a_server_that_runs_is_found_by_its_address(project: Project, url: str) -> None:
    project.state_dir.mkdir(parents=True)
    assert running_admin(project.state_dir, None) is None
    assert running_admin(project.state_dir, url) is not None
    (project.state_dir / ADDRESS_FILE).write_text(json.dumps({"url": url}))
    with in_use(project.state_dir):
        assert isinstance(find_admin(project, None), RemoteAdmin)
    assert isinstance(find_admin(project, None), LocalAdmin)
    assert isinstance(find_admin(project, "http://other:1"), RemoteAdmin)
    found = running_admin(project.state_dir, None)
    assert found is not None
    assert io.BytesIO(found.ask(Asked("GET", "/x"))).readline().startswith(b'["GET", "/x"')
