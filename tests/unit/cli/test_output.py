"""What programs print, with the event that it came from."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest

from durabase.cli.output import LabelledOutput, LogHandler, label
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.origin import Origin, current_origin

ID = DurableObjectId(bytes(32), "lobby")
VISIT = Origin("Room", ID, "visit")


@pytest.fixture
def said() -> list[tuple[Any, ...]]:
    return []


@pytest.mark.feature("M-OB-1")
def test_lines_are_handed_on_whole_each_with_its_event(said: list[tuple[Any, ...]]) -> None:
    output = LabelledOutput(io.StringIO(), lambda *what: said.append(what))
    print("plain", 1, file=output)
    print("begun ", end="", file=output)
    token = current_origin.set(VISIT)
    print("two\nlines", file=output)
    current_origin.reset(token)
    print("and ended", file=output)
    print("never ended", end="", file=output)
    output.finish()
    assert said == [
        (None, "log", "plain 1", None),
        (VISIT, "log", "two", None),
        (VISIT, "log", "lines", None),
        (None, "log", "begun and ended", None),
        (None, "log", "never ended", None),
    ]


def test_it_is_what_it_stands_in_for() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    output = LabelledOutput(out, print)
    assert (output.encoding, output.isatty()) == ("utf-8", False)
    with pytest.raises(io.UnsupportedOperation):
        output.fileno()
    output.flush()
    output.buffer.write(b"bytes")
    assert out.buffer.getvalue() == b"bytes"  # type: ignore[attr-defined]


@pytest.mark.feature("M-OB-1")
def test_what_is_logged_is_handed_on_with_its_error(said: list[tuple[Any, ...]]) -> None:
    error = ValueError("why")
    logger = logging.Logger("test")
    logger.addHandler(LogHandler(lambda *what: said.append(what)))
    token = current_origin.set(VISIT)
    logger.debug("debug")
    logger.info("info %d", 1)
    logger.warning("warning")
    logger.error("error", exc_info=error)
    current_origin.reset(token)
    assert said == [
        (VISIT, "debug", "debug", None),
        (VISIT, "log", "info 1", None),
        (VISIT, "warn", "warning", None),
        (VISIT, "error", "error", error),
    ]


@pytest.mark.feature("M-OB-1")
def test_labels() -> None:
    assert label(VISIT) == "Room(lobby) visit | "
    assert label(Origin("Room", DurableObjectId(bytes(32)), "alarm")) == f"Room({'00' * 32}) alarm | "
    assert label(Origin("Default", None, "fetch")) == ""
    assert label(None) == ""
