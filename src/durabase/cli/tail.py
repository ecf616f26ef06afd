"""``durabase tail``: what a server does, as it does it."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any, Final

from durabase.cli.admin_client import Asked
from durabase.cli.console import Console
from durabase.cli.objects import server_of

__all__ = ["pretty", "tail"]

_OUTCOMES: Final = {"ok": "Ok", "canceled": "Canceled", "exception": "Exception Thrown"}
_FILTERS: Final = ("status", "class_name", "object", "kind", "method")


def tail(options: argparse.Namespace, console: Console) -> int:
    """Follow until the server stops, or Ctrl-C.

    Raises:
        DurabaseError: no server runs.
    """
    for line in server_of(options, console).lines(_asked(options)):
        for shown in _shown(line.decode().rstrip("\n"), as_json=options.json):
            console.line(shown)
    return 0


def _shown(line: str, *, as_json: bool) -> list[str]:
    if not line:  # what the server says first
        return [] if as_json else ["Connected, waiting for records ..."]
    return [line] if as_json else pretty(json.loads(line))


def _asked(options: argparse.Namespace) -> Asked:
    many = {name: getattr(options, name) for name in _FILTERS}
    query = {name: values for name, values in many.items() if values}
    single = {"search": options.search, "sampling": options.sampling}
    return Asked("GET", "/tail", query | {name: value for name, value in single.items() if value})


def pretty(record: dict[str, Any]) -> list[str]:
    """The record for people, in the form in which wrangler shows it."""
    raised = [line for error in record.get("exceptions", ()) for line in error["stack"].rstrip().split("\n")]
    match record["type"]:
        case "missed":
            return [f"… {record['count']} records were missed"]
        case "event":
            outcome = _OUTCOMES.get(record["outcome"], record["outcome"])
            head = f"{_what(record)} - {outcome} @ {_time(record['eventTimestamp'])}"
            return [f"{head} ({record['wallTime']:.0f}ms)", *(f"  {line}" for line in raised)]
        case "refusal":
            about = f" ({record['about']})" if record["about"] else ""
            return [f"Refused: {record['message']}{about} @ {_time(record['timestamp'])}"]
        case "object":
            return [f"{_who(record)} {record['kind']} @ {_time(record['timestamp'])}", *raised]
    said = " ".join(filter(None, (f"({record['level']})", _who(record), record["message"])))
    return [f"  {line}" for line in (*said.split("\n"), *raised)]


def _what(record: dict[str, Any]) -> str:
    event = record["event"] or {}
    if "request" in event:
        answered = f" {event['response']['status']}" if "response" in event else ""
        return f"{event['request']['method']} {event['request']['url']}{answered} {_who(record)}"
    if "cron" in event:
        return f'"{event["cron"]}"'
    return f"{_who(record)}.{record['kind']}"


def _who(record: dict[str, Any]) -> str:
    if "entrypoint" not in record:
        return ""
    name = record.get("durableObjectName") or record.get("durableObjectId")
    return str(record["entrypoint"]) if name is None else f"{record['entrypoint']}({name})"


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%H:%M:%S.%f")[:-3]
