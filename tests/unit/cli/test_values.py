"""What options may be."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from durabase.cli.values import (
    address,
    days,
    duration,
    moment,
    port,
    positive,
    seconds,
    with_times,
)

BOOKMARK = "00000001-00000002-0000000a-" + "0f" * 16


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (port, "0", 0),
        (port, "65535", 65535),
        (address, "8080", ("127.0.0.1", 8080)),
        (address, ":8080", ("127.0.0.1", 8080)),
        (address, "0.0.0.0:80", ("0.0.0.0", 80)),  # noqa: S104
        (address, "[::1]:0", ("::1", 0)),
        (positive, "1", 1),
        (days, "0.5", 0.5),
        (days, "30", 30),
        (seconds, "0.1", 0.1),
        (seconds, "3600", 3600),
        (duration, "90s", 90),
        (duration, "15m", 900),
        (duration, "1h", 3600),
        (duration, "30d", 2_592_000),
    ],
)
def test_what_they_may_be(kind: Callable[[str], Any], text: str, value: Any) -> None:
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "complaint"),
    [
        (port, "65536", "65536 is not between 0 and 65535"),
        (port, "-1", "-1 is not between 0 and 65535"),
        (address, "host:65536", "65536 is not between 0 and 65535"),
        (positive, "0", "0 is not greater than 0"),
        (days, "0", "0 is no number of days"),
        (days, "inf", "inf is no number of days"),
        (days, "nan", "nan is no number of days"),
        (seconds, "0.05", "0.05 is not between 0.1 and 3600"),
        (seconds, "3601", "3601 is not between 0.1 and 3600"),
        (duration, "0s", "'0s' is no duration; 90s, 15m, 1h and 30d are"),
        (duration, "1.5h", "'1.5h' is no duration; 90s, 15m, 1h and 30d are"),
        (duration, "90", "'90' is no duration; 90s, 15m, 1h and 30d are"),
        (duration, "h", "'h' is no duration; 90s, 15m, 1h and 30d are"),
        (duration, "", "'' is no duration; 90s, 15m, 1h and 30d are"),
    ],
)
def test_what_they_may_not_be(kind: Callable[[str], Any], text: str, complaint: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        kind(text)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("kind", [port, address, positive, days, seconds])
def test_what_is_no_number(kind: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match="some"):
        kind("some")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-10m", 600.0),
        ("10M", 600.0),
        (" 10 min ago ", 600.0),
        ("10 minutes ago", 600.0),
        ("1 hour ago", 3600.0),
        ("2d", 172_800.0),
        ("3 days ago", 259_200.0),
        ("30s", 30.0),
        ("30 secs", 30.0),
        ("2026-11-29T13:00:00+00:00", datetime(2026, 11, 29, 13, tzinfo=UTC)),
        (" 2026-11-29 ", datetime(2026, 11, 29)),
        (BOOKMARK, BOOKMARK),
    ],
)
def test_moments(text: str, value: Any) -> None:
    found = moment(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["yesterday", "10", "10x", "", "- 10m", BOOKMARK[:-1], BOOKMARK.upper()])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(
        ArgumentTypeError, match=r"' is no time; 2026-11-29T13:00, -10m, '10 minutes ago' and"
    ):
        moment(text)


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["restore", "--at", "-10m", "--json"], ["restore", "--at=-10m", "--json"]),
        (["--at", "10m"], ["--at", "10m"]),
        (["--at", "--json"], ["--at", "--json"]),
        (["-10m", "--other", "-10m"], ["-10m", "--other", "-10m"]),
        (["--at"], ["--at"]),
        ([], []),
    ],
)
def test_a_time_that_begins_like_an_option(words: list[str], joined: list[str]) -> None:
    assert with_times(words) == joined
