"""What clients say to a server, by the protocol it speaks: files for the load generator, and its options.

For TinyBase a change is a real one-cell content difference, for Yjs a real update of one entry of a
map; rows and entries are a thousand each.
"""

from __future__ import annotations

import json
import struct
import subprocess
import time
from pathlib import Path
from typing import Final

from servers import BUILD, HERE, Protocol

__all__ = ["CONTENT_HASHES", "VALUE_DIFF", "client_options", "preload_frames"]

_ALPHABET: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

CHANGE: Final = (
    '\n["#TXID######",3,[[{"t1":[{"r#ROW####":[{"c1":["@@##########","#HLC############"]}]}]}],[{}],1]]'
)
"""To everybody: one cell has a new value."""

CONTENT_HASHES: Final = 'S\n["A@@##########",1,""]'
"""To the server's own client, which answers when it has taken in everything that was sent before."""

VALUE_DIFF: Final = 'S\n["A@@##########",7,{}]'
"""The same; the one message that the original answers when it has just been woken."""

_TEXT, _BINARY = 1, 2
_YJS_CHANGES: Final = 200_000
"""For each client that sends: more than any of these servers delivers in a measurement."""

_SYNC_QUESTION: Final = b"\x00\x00\x01\x00"
"""y-protocols, sync step 1: a client without anything asks for what there is."""
_SYNC_ANSWER: Final = b"\x00\x01\x02\x00\x00"
"""Sync step 2: it has nothing that the server might lack."""
_ROOM: Final = b"\x08#ROOMID#"
"""Hocuspocus puts the document's name before every message."""
_TOKEN: Final = b"\x02\x00\x00"
"""Hocuspocus: a client identifies itself, with an empty token."""


def client_options(protocol: Protocol, ask: str = CONTENT_HASHES) -> list[object]:
    """Options by which the load generator's clients speak a protocol.

    Where it is Yjs, a room's first client is greeted before the others come: some servers turn away
    clients that race for a room that is not there yet.

    Args:
        protocol: the server's.
        ask: the question to a TinyBase server's own client.
    """
    path: list[object] = ["--path", "/room#ROOMID#"]
    if protocol == "tinybase":
        change, question = _file("change.txt", CHANGE.encode()), _file("ask.txt", ask.encode())
        return [*path, "--template", change, "--ack", question, "--respond", 1]
    prefix = _ROOM if protocol == "hocuspocus" else b""
    greeting = [_SYNC_QUESTION, _SYNC_ANSWER]
    if protocol == "hocuspocus":
        greeting.insert(0, _TOKEN)
    frames = b"".join(_frame(prefix + message, _BINARY) for message in greeting)
    changes = [part for file in _yjs_changes(protocol, prefix) for part in ("--changes", file)]
    return [*path, "--host-first", 1, "--hello", _file(f"hello-{protocol}.bin", frames), *changes]


def preload_frames(rows: int, cells: int, *, chunk: int = 1000) -> Path:
    """A file of TinyBase changes that put ``rows`` times ``cells`` into a room, for ``--hello``."""
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
        frames += _frame(("\n" + json.dumps(message, separators=(",", ":"))).encode(), _TEXT)
    return _file(f"preload_{rows}x{cells}.bin", frames)


def _yjs_changes(protocol: Protocol, prefix: bytes) -> list[Path]:
    """What the two clients of a room that may send do send; made once by Yjs itself."""
    files = [BUILD / f"changes-{protocol}-{client}.bin" for client in range(2)]
    script = HERE / "load" / "yjs_changes.mjs"
    newest = max(path.stat().st_mtime for path in (script, HERE / "package-lock.json"))
    if not all(file.exists() and file.stat().st_mtime >= newest for file in files):
        command = ["node", str(script), str(_YJS_CHANGES), prefix.hex(), *map(str, files)]
        subprocess.run(command, check=True)
    return files


def _frame(payload: bytes, opcode: int) -> bytes:
    return struct.pack("<IB", len(payload), opcode) + payload


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
