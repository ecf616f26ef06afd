"""The load generator and what it sends.

One C program is all clients of a measurement, so one clock times sending and receiving; its source
says what it can do. The payloads are TinyBase's: a change is a real one-cell content difference.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from process import ServerProcess
from servers import BUILD, HERE

__all__ = ["build", "flooding", "holding_clients", "node_client", "preload_frames", "run_load"]

_ALPHABET: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

CHANGE: Final = (
    '\n["#TXID######",3,[[{"t1":[{"r#ROW####":[{"c1":["@@##########","#HLC############"]}]}]}],[{}],1]]'
)
"""To everybody: one cell has a new value."""

CONTENT_HASHES: Final = 'S\n["A@@##########",1,""]'
"""To the server's own client, which answers when it has taken in everything that was sent before."""

VALUE_DIFF: Final = 'S\n["A@@##########",7,{}]'
"""The same; the one message that the original answers when it has just been woken."""

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
    command = _command(server, "--pids", pids, *_payloads(ask), *options)
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    try:
        result: Result = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"error": (done.stderr or done.stdout)[-300:]}
    return result


@contextmanager
def holding_clients(server: ServerProcess, *options: object) -> Iterator[None]:
    """Connected clients that do nothing but read, and answer the server's questions as empty stores would."""
    command = _command(server, "--mode", "idle", "--secs", 110, *_payloads(CONTENT_HASHES), *options)
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
            clients.stdout.read()


@contextmanager
def flooding(server: ServerProcess, seconds: float) -> Iterator[None]:
    """One room in which ten clients send as fast as they can, for so long at most."""
    options = ("--mode", "fanout", "--clients", 10, "--window", 64, "--secs", seconds, "--settle", 0.2)
    command = _command(server, *_payloads(CONTENT_HASHES), *options)
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


def preload_frames(rows: int, cells: int, *, chunk: int = 1000) -> Path:
    """A file of changes that put ``rows`` times ``cells`` into a room, for ``--hello``."""
    milliseconds = int(time.time() * 1000)
    frames = b""
    for start in range(0, rows, chunk):
        table = {
            f"p{row}": [
                {
                    f"c{cell}": [_value(row, cell), _hlc(milliseconds, row * cells + cell)]
                    for cell in range(cells)
                }
            ]
            for row in range(start, min(rows, start + chunk))
        }
        message = [f"preload{start:04}", 3, [[{"t1": [table]}], [{}], 1]]
        payload = ("\n" + json.dumps(message, separators=(",", ":"))).encode()
        frames += struct.pack("<IB", len(payload), 1) + payload
    return _file(f"preload_{rows}x{cells}.bin", frames)


def _command(server: ServerProcess, *options: object) -> list[str]:
    return [str(BUILD / "wsload"), "--port", str(server.port), *map(str, options)]


def _payloads(ask: str) -> list[object]:
    change, question = _file("change.txt", CHANGE.encode()), _file("ask.txt", ask.encode())
    return ["--path", "/room#ROOMID#", "--template", change, "--ack", question, "--respond", 1]


def _file(name: str, data: bytes) -> Path:
    path = BUILD / name
    path.write_bytes(data)
    return path


def _value(row: int, cell: int) -> str | int:
    return f"text value {row}" if cell == 0 else row * 10 + cell


def _hlc(milliseconds: int, counter: int) -> str:
    time_part = "".join(_ALPHABET[milliseconds >> shift & 63] for shift in range(36, -1, -6))
    counter_part = "".join(_ALPHABET[counter >> shift & 63] for shift in range(18, -1, -6))
    return f"{time_part}{counter_part}preld"
