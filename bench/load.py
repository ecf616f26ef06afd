"""The load generator.

One C program is all clients of a measurement, so one clock times sending and receiving; its source
says what it can do.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from payloads import CONTENT_HASHES, client_options, preload_frames
from process import ServerProcess
from servers import BUILD, HERE

__all__ = ["build", "flooding", "holding_clients", "node_client", "pouring", "run_load"]

Result = dict[str, Any]


def build() -> None:
    """Compile the load generator and the yardstick if their sources are newer."""
    BUILD.mkdir(exist_ok=True)
    for name in ("wsload", "wsrelay"):
        source, program = HERE / "load" / f"{name}.c", BUILD / name
        if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
            continue
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            sys.exit("bench: a C compiler (cc) is needed for the load generator.")
        subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)


def run_load(server: ServerProcess, *options: object, ask: str = CONTENT_HASHES) -> Result:
    """Run the load generator against a server; its figures, or ``{"error": …}``."""
    pids = ",".join(map(str, server.pids()))
    command = _command(server, "--pids", pids, *client_options(server.spec.protocol, ask), *options)
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    try:
        result: Result = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"error": (done.stderr or done.stdout)[-300:]}
    return result


@contextmanager
def holding_clients(server: ServerProcess, *options: object) -> Iterator[None]:
    """Connected clients that do nothing but read, and answer the server's questions as empty stores would."""
    dialect = client_options(server.spec.protocol)
    command = _command(server, "--mode", "idle", "--secs", 110, *dialect, *options)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdin is not None
        assert clients.stdout is not None
        if not clients.stdout.readline().startswith("READY"):
            raise RuntimeError(f"the clients of {server.spec.label} could not connect")
        try:
            yield
        finally:
            clients.stdin.write("end\n")
            clients.stdin.flush()
            summary = clients.stdout.read()
    if not summary or json.loads(summary)["closed"]:
        raise RuntimeError(f"clients of {server.spec.label} did not stay: {summary}")


@contextmanager
def flooding(server: ServerProcess, seconds: float) -> Iterator[None]:
    """One room in which ten clients send as fast as they can, for so long at most."""
    options = ("--mode", "fanout", "--clients", 10, "--window", 64, "--secs", seconds, "--settle", 0.2)
    command = _command(server, *client_options(server.spec.protocol), *options)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as flood:
        time.sleep(0.7)
        try:
            yield
        finally:
            flood.terminate()


@contextmanager
def pouring(server: ServerProcess, cells: int, after: float) -> Iterator[None]:
    """So many seconds later one client of a room of its own sends all of so many cells in one message."""
    frames = preload_frames(cells // 10, 10, chunk=cells // 10)
    options = ("--rooms", 1, "--clients", 1, "--settle", 1, "--hello", frames, "--path", "/poured#ROOMID#")
    over = threading.Event()

    def pour() -> None:
        if not over.wait(after):
            with holding_clients(server, *options):
                over.wait()

    thread = threading.Thread(target=pour)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def node_client(*arguments: object) -> Any:
    """Run real TinyBase clients."""
    command = ["node", str(HERE / "load" / "join.mjs"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise RuntimeError(f"a TinyBase client failed: {done.stderr[-300:]}") from None


def _command(server: ServerProcess, *options: object) -> list[str]:
    return [str(BUILD / "wsload"), "--port", str(server.port), *map(str, options)]
