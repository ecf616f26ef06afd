"""Real TinyBase clients in Node, driven from Python: one process that holds them all."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from interop._process import INSTALL, NodeProcess

FOLDER = Path(__file__).parent
NEWEST = 10
MAJORS = (5, 6, 7, 8, 9, 10)


def require_node() -> None:
    """Node and the packages of this folder, or an error that says how to get them."""
    assert shutil.which("npm"), INSTALL
    if not (FOLDER / "node_modules" / f"tinybase{NEWEST}").is_dir():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"`npm ci` in {FOLDER} failed:\n{done.stdout}{done.stderr}"


class NodeHost(NodeProcess):
    """The process; leaving the `with` block ends it and all its clients, without a goodbye."""

    def __init__(self) -> None:
        super().__init__(FOLDER / "host.mjs", patience_seconds=120)
        self._ids = itertools.count()

    def do(self, action: str, client: str | None = None, **arguments: Any) -> Any:
        """Have one action of `host.mjs` done, and wait for its result."""
        command = {"id": next(self._ids), "do": action, "client": client, **arguments}
        answer = self.ask(command)
        assert answer["id"] == command["id"]
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def client(
        self, name: str, major: int = NEWEST, *, unique_id: str | None = None, now: int | None = None
    ) -> NodeClient:
        """A new client; `now` stops its clock there."""
        self.do("open", name, major=major, uniqueId=unique_id, now=now)
        return NodeClient(self, name)

    def converge(self, clients: Iterable[NodeClient], seconds: float = 20.0) -> Any:
        """Wait until all hold the same content and hashes; gives the content."""
        return self.do("converge", names=[client.name for client in clients], seconds=seconds)


class NodeClient:
    """One MergeableStore of one TinyBase major, with at most one connection."""

    def __init__(self, host: NodeHost, name: str) -> None:
        self._host = host
        self.name = name

    def connect(
        self,
        url: str,
        *,
        fragment_size: int | None = None,
        request_timeout_seconds: float = 1,
        start: bool = True,
    ) -> NodeClient:
        self._host.do(
            "connect",
            self.name,
            url=url,
            fragmentSize=fragment_size,
            requestTimeoutSeconds=request_timeout_seconds,
            start=start,
        )
        return self

    def connect_channel(self, socket: str, url: str, channel_id: str) -> NodeClient:
        """Begin to synchronize over a channel of the socket of this name."""
        self._host.do("connectChannel", self.name, socket=socket, url=url, channelId=channel_id)
        return self

    def start(self) -> None:
        """Begin to synchronize, if `connect` did not."""
        self._host.do("start", self.name)

    def disconnect(self) -> None:
        self._host.do("disconnect", self.name)

    def cut(self) -> None:
        """Lose the connection without a Close frame."""
        self._host.do("cut", self.name)

    def set_now(self, now: int) -> None:
        self._host.do("setNow", self.name, now=now)

    def call(self, method: str, *args: Any) -> Any:
        """A method of the JavaScript store."""
        return self._host.do("call", self.name, method=method, args=args)

    def edit(self, *edits: list[Any]) -> None:
        """Several calls `[method, *args]` as one transaction."""
        self._host.do("edit", self.name, edits=edits)

    def content(self) -> Any:
        return self._host.do("content", self.name)

    def hashes(self) -> Any:
        return self._host.do("hashes", self.name)

    def send(self, payload: str) -> None:
        """A raw payload over its socket."""
        self._host.do("send", self.name, payload=payload)

    def transcript(self) -> list[tuple[str, str]]:
        """All payloads so far, as (">" or "<", text)."""
        return [(direction, payload) for direction, payload in self._host.do("log", self.name)["transcript"]]

    def errors(self) -> list[str]:
        """What its synchronizer reported as ignored errors."""
        return list(self._host.do("log", self.name)["errors"])

    def hashes_text(self) -> str:
        """The hashes as they stand in messages."""
        return json.dumps(self.hashes(), separators=(",", ":"))

    def wait_for_payload(self, payload: str, seconds: float = 20.0) -> None:
        """Wait until exactly this has arrived."""
        end = time.monotonic() + seconds
        while ("<", payload) not in self.transcript():
            assert time.monotonic() < end, self.transcript()
            time.sleep(0.01)

    def wait_for(self, content: Any, seconds: float = 20.0) -> None:
        self._host.do("waitForContent", self.name, expected=content, seconds=seconds)

    def wait_for_hashes(self, hashes: Iterable[int], seconds: float = 20.0) -> None:
        self._host.do("waitForHashes", self.name, expected=list(hashes), seconds=seconds)

    def wait_for_close(self) -> tuple[int, str]:
        code, reason = self._host.do("waitForClose", self.name)
        return code, reason
