"""The recipes about access, served by a real ASGI server to real TinyBase clients."""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from interop.clients._node import NodeHost

from ._outer import EXAMPLES, SERVERS, AsgiServer, write_django
from .test_mounting import until


@contextmanager
def served(server: str, folder: Path, recipe: str, **changes: str) -> Iterator[AsgiServer]:
    """A recipe of the guide, as an application of its own."""
    code = (EXAMPLES / f"{recipe}.py").read_text(encoding="utf-8")
    for old, new in changes.items():
        code = code.replace(old, new)
    (folder / "main.py").write_text(code)
    outer = AsgiServer(server, folder).start()
    try:
        yield outer
        outer.stop()
    finally:
        outer.kill()


def status_of(url: str, protocols: list[str] | None = None, **headers: str) -> int:
    """What a WebSocket is answered: 101, or how it is refused."""
    try:
        offered = [Subprotocol(name) for name in protocols or []] or None
        with connect(url, additional_headers=headers, subprotocols=offered):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def post(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urlopen(Request(url, method="POST", headers=headers), timeout=20) as response:  # noqa: S310
            return response.status, response.read().decode()
    except HTTPError as error:
        return error.code, ""


@pytest.mark.parametrize("server", SERVERS)
def test_fastapi_issues_tokens_to_its_pages(server: str, node: NodeHost, tmp_path: Path) -> None:
    with served(server, tmp_path, "auth_fastapi") as outer:
        room = f"{outer.ws_url}/sync/plan"
        assert post(f"{outer.url}/rooms/plan/token") == (401, "")
        ann, rita = (
            post(f"{outer.url}/rooms/plan/token", cookie=f"session=cookie-of-{name}")[1]
            for name in ("ann", "rita")
        )
        assert [status_of(room), status_of(f"{room}?token={ann}x")] == [401, 401]
        assert status_of(f"{outer.ws_url}/sync/other?token={ann}") == 403
        assert status_of(room, ["durabase", f"bearer.{ann}"]) == 101
        assert status_of(room, Authorization=f"Bearer {ann}") == 101

        assert status_of(f"{outer.ws_url}/sync/my%20room?token={ann}") == 403
        for name in ("my%20room", "it's%20(not)%20*that*%20%C3%A9!"):
            own = post(f"{outer.url}/rooms/{name}/token", cookie="session=cookie-of-ann")[1]
            assert status_of(f"{outer.ws_url}/sync/{name}?token={own}") == 101

        writer = node.client(f"{server}-writer").connect(f"{room}?token={ann}")
        reader = node.client(f"{server}-reader").connect(f"{room}?token={rita}&session=s")
        writer.call("setCell", "tasks", "1", "text", "mow")
        until(lambda: reader.call("getCell", "tasks", "1", "text") == "mow")
        reader.call("setCell", "tasks", "1", "text", "mine")
        reader.call("setCell", "tasks", "2", "text", "mine, too")
        writer.call("setValue", "done", True)
        until(lambda: reader.call("getValue", "done") is True)
        assert writer.content() == [{"tasks": {"1": {"text": "mow"}}}, {"done": True}]
        later = node.client(f"{server}-later").connect(f"{room}?token={ann}")
        until(lambda: later.content() == writer.content())

        status, said = post(f"{outer.url}/sync/plan?session=s", authorization=f"Bearer {rita}")
        assert (status, json.loads(said)["refreshed"]) == (200, 1)
        assert post(f"{outer.url}/sync/plan?session=s", authorization=f"Bearer {ann}")[0] == 404


USERS = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from django.test import Client
for name, is_staff in (("ann", True), ("bob", False)):
    user = User.objects.create_user(name, is_staff=is_staff)
    client = Client()
    client.force_login(user)
    print(client.cookies["sessionid"].value)
"""


@pytest.mark.parametrize("server", SERVERS)
def test_django_knows_its_users(server: str, tmp_path: Path) -> None:
    settings = write_django(tmp_path)
    settings.write_text(
        settings.read_text()
        + f"INSTALLED_APPS = {[f'django.contrib.{app}' for app in ('auth', 'contenttypes', 'sessions')]}\n"
        'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n'
        "USE_TZ = True\n"
        'DEFAULT_AUTO_FIELD = "django.db.models.AutoField"\n'
    )
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", USERS],
        cwd=tmp_path,
        env={"DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    ann, bob = made.stdout.split()
    with served(server, tmp_path, "auth_django") as outer:
        room = f"{outer.ws_url}/sync/plan"
        assert status_of(room) == 401
        assert status_of(room, cookie="sessionid=forged") == 401
        assert status_of(room, cookie=f"sessionid={ann}", origin="https://evil.example") == 401
        assert status_of(room, cookie=f"sessionid={bob}", origin=outer.url) == 101
        assert status_of(room, cookie=f"a=b; sessionid={ann}") == 101


class Provider:
    """An identity provider: signs tokens, and publishes its keys."""

    def __init__(self) -> None:
        self._keys = {"one": generate_private_key(65537, 2048)}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps({"keys": provider.published()}).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def published(self) -> list[dict[str, Any]]:
        return [
            {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": name, "use": "sig"}
            for name, key in self._keys.items()
        ]

    def token(self, key: RSAPrivateKey | None = None, **claims: Any) -> str:
        ((name, own),) = self._keys.items()
        said = {"iss": self.url, "aud": "rooms", "sub": "ann", "exp": time.time() + 600, **claims}
        return jwt.encode(said, key or own, algorithm="RS256", headers={"kid": name})

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def hs256(claims: dict[str, Any], secret: bytes) -> str:
    """A token that PyJWT would not make: signed with what is no secret."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, claims)]
    head = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    signature = hmac.digest(secret, head, "sha256")
    return f"{head.decode()}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.fixture(name="provider")
def provide() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.close()


@pytest.mark.parametrize("server", SERVERS)
def test_tokens_of_an_identity_provider(server: str, provider: Provider, tmp_path: Path) -> None:
    with served(
        server, tmp_path, "auth_identity_providers", **{"https://login.example/": provider.url}
    ) as outer:

        def status(token: str) -> int:
            return status_of(f"{outer.ws_url}/sync/plan", ["durabase", f"bearer.{token}"])

        good = provider.token(rooms=["plan"])
        assert status(good) == 101
        public = json.dumps(provider.published()[0]).encode()
        refused = {
            "another key": provider.token(generate_private_key(65537, 2048)),
            "over": provider.token(exp=time.time() - 1),
            "for another service": provider.token(aud="mail"),
            "of another provider": provider.token(iss="https://evil.example/"),
            "no signature": jwt.encode({"sub": "ann", "exp": 2**33}, None, "none", headers={"kid": "one"}),
            "signed with the public key": hs256({"sub": "ann"}, public),
            "no token": "abc",
        }
        assert {name: status(token) for name, token in refused.items()} == dict.fromkeys(refused, 401)
        assert status_of(f"{outer.ws_url}/sync/plan") == 401
        assert status(provider.token(exp=time.time() + 1)) == 101
