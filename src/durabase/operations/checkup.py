"""Whether a machine is fit to serve: what was measured, judged, with a word on what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

__all__ = [
    "Finding",
    "judge_clock",
    "judge_disk",
    "judge_files",
    "judge_socket",
    "judge_space",
    "judge_sqlite",
]

_OLDEST_SQLITE: Final = (3, 35, 0)
_OTHER_FILES: Final = 256
_SLOW_SYNC_SECONDS: Final = 0.02
_NO_SYNC_SECONDS: Final = 0.000_02
_LITTLE_BYTES: Final = 1 << 30
_NO_BYTES: Final = 100 << 20
_SKEW_SECONDS: Final = 2.0


class Finding(NamedTuple):
    """What was looked at, how it is, and, unless it is ``ok``, what to do."""

    name: str
    level: Literal["ok", "warn", "fail"]
    text: str
    remedy: str = ""


def judge_sqlite(version: tuple[int, ...], has_fts5: bool) -> Iterator[Finding]:
    """SQLite's version, and whether it can search texts."""
    shown = ".".join(map(str, version))
    if version < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        yield Finding("SQLite", "fail", shown, f"use a Python whose sqlite3 has SQLite {oldest} or newer")
    elif not has_fts5:
        remedy = "objects that search texts need a Python whose SQLite has FTS5"
        yield Finding("SQLite", "warn", f"{shown}, without FTS5", remedy)
    else:
        yield Finding("SQLite", "ok", f"{shown}, with FTS5")


def judge_files(limit: int, sockets: int) -> Finding:
    """How many files a process may open, for so many sockets."""
    needed = sockets + _OTHER_FILES
    text = f"{limit:,} may be open"
    if limit >= needed:
        return Finding("Open files", "ok", f"{text}, {needed:,} are needed for {sockets:,} sockets")
    remedy = f"raise the limit to {needed}: `ulimit -n {needed}`, or LimitNOFILE={needed} in the systemd unit"
    return Finding("Open files", "fail", f"{text}, {sockets:,} sockets need {needed:,}", remedy)


def judge_disk(sync_seconds: float) -> Finding:
    """How long the disk takes to have written something for good."""
    text = f"a sync takes {sync_seconds * 1000:.2f} ms"
    if sync_seconds < _NO_SYNC_SECONDS:
        remedy = "no disk is so quick: keep data on one that survives a power cut (this may be memory)"
        return Finding("Disk", "warn", text, remedy)
    if sync_seconds > _SLOW_SYNC_SECONDS:
        remedy = "each acknowledgement waits for that: use a local SSD, or look who else writes there"
        return Finding("Disk", "warn", text, remedy)
    return Finding("Disk", "ok", text)


def judge_space(free_bytes: int) -> Finding:
    """How much room there is for data."""
    text = f"{free_bytes / (1 << 30):.1f} GiB are free"
    if free_bytes < _NO_BYTES:
        return Finding("Free space", "fail", text, "make room, or writing will fail soon")
    if free_bytes < _LITTLE_BYTES:
        return Finding("Free space", "warn", text, "make room before it runs out")
    return Finding("Free space", "ok", text)


def judge_clock(skew_seconds: float) -> Finding:
    """How far the server's clock is ahead of ours; its answers tell the time to the second."""
    text = f"the server's clock differs by {abs(skew_seconds):.0f} s"
    if abs(skew_seconds) > _SKEW_SECONDS:
        return Finding("Clock", "warn", text, "let NTP set both clocks: of two edits the later one wins")
    return Finding("Clock", "ok", text)


def judge_socket(
    status: int, idle: Literal["pinged", "cut", "silent"] | None, seconds: float = 0.0
) -> Finding:
    """What became of a WebSocket: the answer to the upgrade, and what it got after ``seconds`` of silence."""
    if status != 101:
        remedy = (
            "name a path that accepts WebSockets; a proxy has to pass the headers Upgrade and Connection on"
        )
        return Finding("WebSocket", "fail", f"the upgrade is answered with {status}", remedy)
    if idle == "cut":
        remedy = "let the proxy keep idle connections for longer than 20 s (proxy_read_timeout and the like)"
        return Finding("WebSocket", "fail", f"it is cut after it was idle for {seconds:.0f} s", remedy)
    if idle == "silent":
        remedy = "dead sockets are found by pings: is something else than durabase answering?"
        return Finding("WebSocket", "warn", "it opens, and gets no ping", remedy)
    return Finding("WebSocket", "ok", "it opens, and gets pings while it is idle")
