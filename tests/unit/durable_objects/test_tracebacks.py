"""Tracebacks without our own frames, and where errors of calls came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durabase.durable_objects.tracebacks import program_traceback, tell_origins
from durabase.errors import ConfigError
from durabase.testing import WorkerHarness
from durabase.workers.config import load_config
from unit.workers.programs import ROOM, TOML, write_program

PROGRAM = """
    from workers import DurableObject, WorkerEntrypoint

    class Room(DurableObject):
        async def fail(self):
            raise KeyError("here")

        async def fail_within(self):
            await self.env.ROOM.get_by_name("inner").fail()
"""


@pytest.fixture(name="told")
def with_origins() -> Iterator[None]:
    tell_origins(True)
    yield
    tell_origins(False)


def failure(directory: Path, method: str) -> BaseException:
    async def use(worker: WorkerHarness) -> None:
        await getattr(worker.env.ROOM.get_by_name("a"), method)()

    harness = WorkerHarness(write_program(directory, PROGRAM, TOML + ROOM))
    with pytest.raises(KeyError) as caught:
        harness.run(lambda: use(harness))
    return caught.value


def test_frames_of_the_program_alone(tmp_path: Path) -> None:
    text = program_traceback(failure(tmp_path, "fail"))
    assert text.startswith("Traceback (most recent call last):\n")
    assert f'File "{__file__}"' in text
    assert "durabase/durable_objects/" not in text
    assert text.endswith("KeyError: 'here'")


def test_causes_are_shown_in_the_same_way(tmp_path: Path) -> None:
    error = failure(tmp_path, "fail")
    outer = RuntimeError("outer")
    outer.__cause__ = error
    text = program_traceback(outer)
    assert "The above exception was the direct cause" in text
    assert "durabase/durable_objects/" not in text


def test_where_the_program_has_no_frame_our_last_one_is_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "nowhere")
    error = caught.value.with_traceback(caught.tb.tb_next)
    text = program_traceback(error)
    assert text.count("File ") == 1
    assert "durabase/workers/config/find.py" in text


@pytest.mark.feature("M-DX-3")
@pytest.mark.usefixtures("told")
def test_callers_are_told_in_development(tmp_path: Path) -> None:
    (note,) = failure(tmp_path, "fail").__notes__
    assert note.startswith("It came from:\n")
    assert 'raise KeyError("here")' in note
    assert "durabase/" not in note


@pytest.mark.usefixtures("told")
def test_over_several_calls(tmp_path: Path) -> None:
    (note,) = failure(tmp_path, "fail_within").__notes__
    assert note.count("It came from:") == 2
    assert note.index("fail_within") < note.index('raise KeyError("here")')


def test_and_not_otherwise(tmp_path: Path) -> None:
    assert not hasattr(failure(tmp_path, "fail"), "__notes__")
