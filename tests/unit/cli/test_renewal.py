"""SIGHUP: processes are started anew, or nothing is touched and it is said why."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from durabase.cli import renewal
from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.errors import ClusterError

from .running import TOML, write_project

RENAMED = TOML.replace('class_name = "Room"', 'class_name = "Hall"') + (
    '[[migrations]]\ntag = "v2"\nrenamed_classes = [{ from = "Room", to = "Hall" }]\n'
)


class Watched:
    """The supervisor and the service manager, who remember what they were told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.told: list[str] = []
        self.is_answered = asyncio.Event()
        self._failure = failure

    async def restart(self) -> None:
        self.told.append("restart")
        if self._failure is not None:
            raise self._failure

    def is_reloading(self) -> None:
        self.told.append("reloading")

    def is_ready(self, status: str) -> None:
        self.told.append(status)
        self.is_answered.set()


def asked(
    project: Path,
    errors: list[str],
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None = None,
    times: int = 1,
    is_early: bool = False,
) -> tuple[list[str], str]:
    """What is told of a SIGHUP to a project of which ``durabase check`` says this, and what is said."""
    out = io.StringIO()

    async def check(options: ServeOptions) -> list[str]:
        return errors

    monkeypatch.setattr(renewal, "_errors_of_check", check)

    async def main() -> list[str]:
        watched: Any = Watched(failure)
        made = renewal.Renewal(watched, ServeOptions(project), Console(out, out), watched)
        if is_early:
            os.kill(os.getpid(), signal.SIGHUP)
        renewing = asyncio.create_task(made.run())
        for _ in range(times):
            watched.is_answered.clear()
            if not is_early:
                os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(watched.is_answered.wait(), 10)
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)
        told: list[str] = watched.told
        return told

    return asyncio.run(main()), out.getvalue()


def test_each_signal_starts_them_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, said = asked(write_project(tmp_path), [], monkeypatch, times=2)
    assert told == ["reloading", "restart", "Restarted"] * 2
    assert said.splitlines()[:2] == [
        "[wrangler:info] Restarting, one process after the other ...",
        "[wrangler:info] Restarted",
    ]


def test_what_is_asked_before_the_processes_serve_is_done_when_they_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, _ = asked(write_project(tmp_path), [], monkeypatch, is_early=True)
    assert told == ["reloading", "restart", "Restarted"]


def test_what_would_not_start_touches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, said = asked(write_project(tmp_path), ["it is broken", "and more"], monkeypatch)
    assert told == ["reloading", "Nothing is restarted: it is broken"]
    assert said.splitlines() == [
        "✘ [ERROR] it is broken",
        "✘ [ERROR] and more",
        "✘ [ERROR] Nothing is restarted; what was there before goes on.",
    ]


def test_migrations_that_others_could_not_live_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = "Migrations that rename, transfer or delete classes take a stop and a start."
    told, said = asked(write_project(tmp_path, toml=RENAMED), [], monkeypatch)
    assert told == ["reloading", f"Nothing is restarted: {fault}"]
    assert fault in said


def test_a_process_that_does_not_come_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, said = asked(write_project(tmp_path), [], monkeypatch, ClusterError("the second has failed"))
    assert told == ["reloading", "restart", "the second has failed"]
    assert said.endswith("✘ [ERROR] the second has failed; those after it go on as they were\n")


def test_the_project_is_checked_by_a_process_of_its_own(tmp_path: Path) -> None:
    project = write_project(tmp_path, program="nonsense(")
    [error] = asyncio.run(renewal._errors_of_check(ServeOptions(project)))
    assert "index.py" in error
