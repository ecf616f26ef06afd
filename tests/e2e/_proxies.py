"""nginx and Caddy with the examples of `deploy/`, in front of `durabase serve`, TLS at the proxy."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

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


Proxy: TypeAlias = Callable[[Path, Authority, int, int], list[str]]
Edits: TypeAlias = Sequence[tuple[str, str]]
TRUSTING = ("--trust-proxy", "127.0.0.1")


class House:
    """A server, and the proxy at its door."""

    def __init__(self, authority: Authority, port: int, server: Server) -> None:
        self.authority = authority
        self.port = port
        self.server = server

    def doctor(self, *options: str, scheme: str = "wss") -> subprocess.CompletedProcess[str]:
        """What `durabase doctor` says of the way through the proxy."""
        place = ["--persist-to", str(self.server.state), "--sockets", "1"]
        command = [sys.executable, "-m", "durabase", "doctor", str(self.server.state.parent), *place]
        authority = self.authority.server_files[0].parent / "authority.pem"
        return subprocess.run(
            [*command, "--url", f"{scheme}://127.0.0.1:{self.port}/room", *options],
            capture_output=True,
            text=True,
            env={**os.environ, "SSL_CERT_FILE": str(authority)},
            timeout=90,
        )


def write_telling(folder: Path) -> Path:
    """Rooms, and a path that tells who asks."""
    write_rooms(folder)
    (folder / "program.py").write_text(TELLING)
    return folder


@contextmanager
def housed(
    folder: Path,
    proxy: Proxy,
    options: Sequence[str],
    edits: Edits = (),
    write: Callable[[Path], Path] = write_telling,
) -> Iterator[House]:
    """A server with these ``options``, behind a proxy whose configuration has these ``edits``.

    ``write`` writes the project, and says where that is.
    """
    authority = Authority(folder / "authority")
    authority.sign()
    server = Server(folder, "serve", str(write(folder)), *options).start()
    port = free_port()
    command = proxy(folder, authority, port, server.port)
    for before, after in edits:
        _edit(folder, before, after)
    with (folder / "proxy.log").open("wb") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
    try:
        _wait_for(port, started, folder / "proxy.log")
        yield House(authority, port, server)
    finally:
        started.terminate()
        started.wait(PATIENCE)
        server.kill()


def _edit(folder: Path, before: str, after: str) -> None:
    """What the regular expression ``before`` finds becomes ``after``."""
    (file,) = (path for name in ("nginx.conf", "Caddyfile") if (path := folder / name).exists())
    text, count = re.subn(before, after, file.read_text())
    assert count, before
    file.write_text(text)


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
