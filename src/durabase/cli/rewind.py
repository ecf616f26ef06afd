"""``durabase restore --at``: an object goes back in time; and what that would change."""

from __future__ import annotations

import argparse
import json
import time
from datetime import datetime
from typing import Any

from durabase.cli.admin_client import Asked
from durabase.cli.changes import described_change, told_time
from durabase.cli.console import Console
from durabase.cli.copies import parsed_object
from durabase.cli.objects import admin_of
from durabase.cli.values import Moment
from durabase.inspector.past import as_cells

__all__ = ["rewind"]


def rewind(options: argparse.Namespace, console: Console) -> int:
    """Do it, or with ``--dry-run`` show what it would do.

    Raises:
        DurabaseError: it can't be done, and nothing has changed.
    """
    which = parsed_object(options.object)
    to = _asked_for(options.at)
    with admin_of(options, console) as admin:
        if options.dry_run:
            query = which.query | {"to": str(to)}
            answer = json.loads(admin.ask(Asked("GET", "/object/preview", query)))
        else:
            body = json.dumps({"to": to}).encode()
            answer = json.loads(admin.ask(Asked("POST", "/object/rewind", which.query, body)))
    if options.json:
        console.line(json.dumps(answer, ensure_ascii=False))
        return 0
    for line in _previewed(answer) if options.dry_run else _done(str(which), answer):
        console.line(line)
    return 0


def _asked_for(moment: Moment) -> int | str:
    if isinstance(moment, str):
        return moment
    seconds = moment.timestamp() if isinstance(moment, datetime) else time.time() - moment
    return int(seconds * 1000)


def _done(which: str, answer: Any) -> list[str]:
    lines = [f"{which}: went back. To undo that: durabase restore --object {which} --at {answer['undo']}"]
    return lines if answer["problem"] is None else [*lines, f"It could not start anew: {answer['problem']}"]


def _previewed(answer: Any) -> list[str]:
    when = "the beginning" if answer["time"] is None else told_time(answer["time"])
    changes = [described_change(change) for change in as_cells(answer["changes"])]
    tables = [
        f"table {name}: {each['come']} rows come, {each['go']} go" for name, each in answer["tables"].items()
    ]
    if answer["alarm"] is not None:
        changes.append(described_change({"alarm": True, **answer["alarm"]}))
    if answer["keys"] > len(answer["changes"]):
        changes.append(f"and more: {answer['keys']} keys differ")
    return [f"Back to {when}:", *(f"  {line}" for line in (changes + tables or ["nothing changes"]))]
