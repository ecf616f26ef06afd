"""``durabase objects history``: who changed what of an object, as lines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["described_change", "shown_history", "told_time", "who"]

MAX_VALUE: Final = 60
MAX_CHANGES: Final = 20

_EVENTS: Final[Mapping[str, str]] = {
    "web_socket_message": "a message",
    "fetch": "a request",
    "rest_fetch": "a request",
    "run": "the server",
    "alarm": "the alarm",
    "restore": "a restore",
    "constructor": "its start",
    "": "the server",
}


def shown_history(answer: Any, options: argparse.Namespace) -> list[str]:
    """The lines for people, the newest change first."""
    lines = []
    for entry in answer["entries"]:
        until = f" (within {entry['span'] // 60_000} min)" if entry["span"] else ""
        lines.append(f"{told_time(entry['time'])}{until}  {who(entry['author'])}")
        changes = [described_change(change) for change in entry["changes"]]
        lines += [f"    {line}" for line in changes[:MAX_CHANGES]]
        if len(changes) > MAX_CHANGES:
            lines.append(f"    and {len(changes) - MAX_CHANGES} more; --json has all")
    if not lines:
        return ["Nothing is known to have changed. A history is kept with --history only."]
    return lines if answer["cursor"] is None else [*lines, f"… and more: use --before {answer['cursor']}"]


def who(author: Mapping[str, Any]) -> str:
    """An author in a few words."""
    event = author.get("event", "")
    by = _EVENTS.get(event, f"the call {event}")
    if author.get("admin"):
        return "an administrator" if event == "run" else f"an administrator, {by}"
    known = author.get("identity") or author.get("address")
    client = f"client {author['client']}" if "client" in author else ""
    named = ", ".join(each for each in (known, client) if each)
    return f"{named}, by {by}" if named else by


def described_change(change: Mapping[str, Any]) -> str:
    """A change in one line."""
    if "more" in change:
        return f"and {change['more']} more"
    if "restored" in change:
        then = change["restored"]
        return f"went back to {told_time(then)}" if then else "went back to the beginning"
    times = f"  ({change['times']} times)" if "times" in change else ""
    if "sql" in change:
        return f"{' '.join(change['sql'].split())}  ({change['rows']} rows){times}"
    if "alarm" in change:
        told = [told_time(change[name]) if name in change else "none" for name in ("old", "new")]
        return f"alarm: {told[0]} → {told[1]}{times}"
    if "cell" in change:
        path = "/".join(change["cell"])
    else:
        path = f"value {change['value']}" if "value" in change else f"key {change['key']}"
    return f"{path}: {_told(change, 'old')} → {_told(change, 'new')}{times}"


def _told(change: Mapping[str, Any], name: str) -> str:
    if f"{name}_bytes" in change:
        return f"({change[f'{name}_bytes']} bytes)"
    if name not in change:
        return "nothing"
    text = json.dumps(change[name], ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def told_time(milliseconds: int) -> str:
    """A time to the second."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
