"""Which records somebody wants to see."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.operations.filters import RecordFilter

EVENT = {
    "type": "event",
    "outcome": "ok",
    "entrypoint": "Room",
    "durableObjectId": "ab",
    "durableObjectName": "lobby",
    "kind": "fetch",
    "event": {"request": {"method": "GET", "url": "http://host/péts"}},
}
LOG = {"type": "log", "level": "error", "message": "hello"}


@pytest.mark.feature("S-OB-2")
@pytest.mark.parametrize(
    ("query", "record", "wanted"),
    [
        ({}, EVENT, True),
        ({"status": ["ok"]}, EVENT, True),
        ({"status": ["error", "canceled"]}, EVENT, False),
        ({"status": ["error"]}, EVENT | {"outcome": "aborted"}, True),
        ({"status": ["canceled"]}, EVENT | {"outcome": "canceled"}, True),
        ({"status": ["error"]}, LOG, True),
        ({"status": ["error"]}, LOG | {"level": "log"}, False),
        ({"class_name": ["Room"]}, EVENT, True),
        ({"class_name": ["Door"]}, EVENT, False),
        ({"object": ["lobby"]}, EVENT, True),
        ({"object": ["ab"]}, EVENT, True),
        ({"object": ["other"]}, EVENT, False),
        ({"object": ["lobby"]}, LOG, False),
        ({"kind": ["alarm", "fetch"]}, EVENT, True),
        ({"kind": ["alarm"]}, EVENT, False),
        ({"method": ["GET"]}, EVENT, True),
        ({"method": ["POST"]}, EVENT, False),
        ({"method": ["GET"]}, EVENT | {"event": None}, False),
        ({"search": ["péts"]}, EVENT, True),
        ({"search": ["hello"]}, EVENT, False),
        ({"kind": ["fetch"], "status": ["error"]}, EVENT, False),
    ],
)
def test_conditions(query: dict[str, list[str]], record: dict[str, Any], wanted: bool) -> None:
    assert RecordFilter.from_query(query).wants(record) is wanted


@pytest.mark.feature("S-OB-2")
def test_sampling() -> None:
    some = RecordFilter.from_query({"sampling": ["0.25"]})
    assert some.wants(EVENT, lambda: 0.2)
    assert not some.wants(EVENT, lambda: 0.25)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"colour": ["red"]}, "unknown filter: colour"),
        ({"status": ["fine"]}, "status is ok, error or canceled, not fine"),
        ({"sampling": ["2"]}, "sampling is a number from 0 to 1, not 2"),
        ({"sampling": ["x"]}, "could not convert"),
    ],
)
def test_what_makes_no_sense(query: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecordFilter.from_query(query)
