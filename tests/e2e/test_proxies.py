"""The examples of `deploy/`, with nginx and Caddy in front of `durabase serve`, TLS at the proxy."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from e2e._loop import run
from e2e._rooms import PROGRAM, write_rooms
from e2e._server import Server, free_port
from unit.synchronizers.certificates import Authority

DEPLOY = Path(__file__).parents[2] / "deploy"
TELLING = PROGRAM.replace(
    "        room = self.env.ROOMS.get_by_name(first)\n",
    '        if first == "who":\n'
    "            return Response(f\"{request.url} {request.headers['cf-connecting-ip']}\")\n"
    "        room = self.env.ROOMS.get_by_name(first)\n",
)
NGINX = (
    "daemon off; pid {folder}/pid; error_log stderr; events {{}}\nhttp {{ access_log off; {temp}\n{site} }}\n"
)
LARGE = "".join(f"{number:x}" for number in range(20_000))
PATIENCE = 30.0


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    assert found, f"needs {name}: apt-get install {name}"
    return found


def nginx(folder: Path, authority: Authority, port: int, behind: int) -> list[str]:
    certificate, key = map(str, authority.server_files)
    site = (DEPLOY / "nginx.conf").read_text().replace("listen 443", f"listen 127.0.0.1:{port}")
    site = site.replace("127.0.0.1:8787", f"127.0.0.1:{behind}")
    site = site.replace("/etc/letsencrypt/live/app.example/fullchain.pem", certificate)
    site = site.replace("/etc/letsencrypt/live/app.example/privkey.pem", key)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temp = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, temp=temp, site=site))
    return [program("nginx"), "-c", str(folder / "nginx.conf"), "-e", "stderr"]


def caddy(folder: Path, authority: Authority, port: int, behind: int) -> list[str]:
    certificate, key = map(str, authority.server_files)
    site = (DEPLOY / "Caddyfile").read_text().replace("127.0.0.1:8787", f"127.0.0.1:{behind}")
    site = site.replace("app.example {", f"https://127.0.0.1:{port} {{\n\ttls {certificate} {key}")
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{site}")
    return [program("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


class House:
    def __init__(self, authority: Authority, port: int, server: Server) -> None:
        self.authority = authority
        self.port = port
        self.server = server


@pytest.fixture(params=[nginx, caddy])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    authority = Authority(tmp_path / "authority")
    authority.sign()
    write_rooms(tmp_path)
    (tmp_path / "program.py").write_text(TELLING)
    options = ["--processes", "2", "--trust-proxy", "127.0.0.1"]
    server = Server(tmp_path, "serve", str(tmp_path), *options).start()
    port = free_port()
    with (tmp_path / "proxy.log").open("wb") as log:
        command = request.param(tmp_path, authority, port, server.port)
        home = {**os.environ, "HOME": str(tmp_path)}
        proxy = subprocess.Popen(command, stdout=log, stderr=log, env=home)
    try:
        _wait_for(port, proxy, tmp_path / "proxy.log")
        yield House(authority, port, server)
    finally:
        proxy.terminate()
        proxy.wait(PATIENCE)
        server.kill()


def _wait_for(port: int, proxy: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert proxy.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def test_sockets_pass_and_programs_know_who_asks(house: House) -> None:
    async def ask() -> str:
        context = house.authority.client_context()
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port, ssl=context)
        writer.write(
            f"GET /who HTTP/1.1\r\nHost: 127.0.0.1:{house.port}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = (await reader.read()).decode()
        writer.close()
        return answer

    async def main() -> None:
        async with asyncio.timeout(PATIENCE):
            assert f"https://127.0.0.1:{house.port}/who 127.0.0.1" in await ask()
            for name in ("a", "b", "c"):
                url = f"wss://127.0.0.1:{house.port}/{name}"
                async with connect(url, ssl=house.authority.client_context()) as client:
                    assert client.response is not None
                    assert "permessage-deflate" in client.response.headers["Sec-WebSocket-Extensions"]
                    await client.recv()
                    await client.send(LARGE)
                    assert await client.recv() == LARGE

    run(main())


def test_the_doctor_finds_nothing_wrong_on_the_way(house: House) -> None:
    command = [sys.executable, "-m", "durabase", "doctor", str(house.server.state.parent), "--sockets", "1"]
    trusted = {**os.environ, "SSL_CERT_FILE": str(house.authority.server_files[0].parent / "authority.pem")}
    done = subprocess.run(
        [*command, "--url", f"wss://127.0.0.1:{house.port}/room"],
        capture_output=True,
        text=True,
        env=trusted,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ WebSocket   it opens, and gets pings while it is idle" in done.stdout
