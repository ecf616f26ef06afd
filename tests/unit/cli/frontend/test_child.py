"""Child processes: their lines, their end, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from durabase.cli.frontend import child as module
from durabase.cli.frontend.child import ChildProcess

from .fakes import until


def run(use: Callable[[list[str]], Awaitable[None]]) -> list[str]:
    lines: list[str] = []

    async def main() -> None:
        async with asyncio.timeout(30):
            await use(lines)

    asyncio.run(main())
    return lines


def shell(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


async def has_ended(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process_id}/stat").read_text().split(") ")[1].startswith("Z")  # noqa: ASYNC240


def test_its_lines_come_from_both_outputs_and_then_its_code(tmp_path: Path) -> None:
    async def use(lines: list[str]) -> None:
        child = ChildProcess(
            tmp_path, shell('pwd; echo "$0$1"; echo bad >&2; printf "\\377 end"; exit 7'), lines.append
        )
        assert not child.has_ended
        assert await child.wait() == await child.wait() == 7
        assert child.has_ended
        child.kill()
        await child.stop()

    assert run(use) == [str(tmp_path), "/bin/sh", "bad", "\ufffd end"]


def test_arguments_are_passed_as_they_are(tmp_path: Path) -> None:
    async def use(lines: list[str]) -> None:
        await ChildProcess(tmp_path, ["printf", "%s\\n", "a b", "$HOME", "'"], lines.append).wait()

    assert run(use) == ["a b", "$HOME", "'"]


def test_it_reads_nothing(tmp_path: Path) -> None:
    async def use(lines: list[str]) -> None:
        assert await ChildProcess(tmp_path, ["cat"], lines.append).wait() == 0

    assert run(use) == []


def test_what_can_not_be_started(tmp_path: Path) -> None:
    async def use(lines: list[str]) -> None:
        assert await ChildProcess(tmp_path, ["no-such-command"], lines.append).wait() == 127
        with pytest.raises(FileNotFoundError):
            ChildProcess(tmp_path / "nowhere", ["true"], lines.append)

    assert "not found" in run(use)[0]


def test_very_long_lines_come_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 70_000 + "\n")

    async def use(lines: list[str]) -> None:
        await ChildProcess(tmp_path, ["cat", "long"], lines.append).wait()

    assert [len(line) for line in run(use)] == [65_536, 4464]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_its_own_children_end_with_it(tmp_path: Path, how: str) -> None:
    async def use(lines: list[str]) -> None:
        child = ChildProcess(tmp_path, shell("sleep 60 & echo $!; wait"), lines.append)
        await until(lambda: _is_there(lines))
        if how == "stop":
            await child.stop()
        else:
            child.kill()
        assert await child.wait() != 0
        await until(lambda: has_ended(int(lines[0])))

    run(use)


def test_what_does_not_end_by_itself_is_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.05)

    async def use(lines: list[str]) -> None:
        child = ChildProcess(
            tmp_path, shell("trap '' TERM; echo ready; while :; do sleep 60; done"), lines.append
        )
        await until(lambda: _is_there(lines))
        await child.stop()
        assert child.has_ended

    run(use)


async def _is_there(lines: list[str]) -> bool:
    return bool(lines)
