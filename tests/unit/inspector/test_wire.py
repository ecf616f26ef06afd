"""Messages for people."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.inspector.wire import MAX_REQUESTS, MAX_TEXT, MAX_THINGS, WireLog
from durabase.synchronizers.protocol.messages import parse_message

HLC = "NrbEJxl---0dmwzH"
TABLES = f'[{{"t":[{{"r":[{{"c":[1,"{HLC}"]}}]}}]}}]'
CELL = ("t", "r", "c", 1)


def described(log: WireLog, text: str) -> dict[str, Any]:
    return log.described("a", "b", parse_message(text), 5)


def things(record: dict[str, Any]) -> list[Any]:
    return [
        (each["table"], each["row"], each["cell"], each["value"])
        if "cell" in each
        else (each["value_id"], each["value"])
        for each in record["things"]
    ]


def test_a_message() -> None:
    text = f'["id",3,[{TABLES},[{{"v":[2,"{HLC}"]}}],1]]'
    record = described(WireLog(), text)
    assert things(record) == [CELL, ("v", 2)]
    expected = {"type": "message", "time": 5, "from": "a", "to": "b", "kind": "content_diff", "answers": None}
    assert record.items() >= expected.items()
    assert (record["bytes"], record["request"], record["more"]) == (len(text), "id", False)


@pytest.mark.parametrize(
    ("question", "answer", "kind", "brought"),
    [
        ('1,""', "[1,2]", "get_content_hashes", []),
        ('4,{"t":1}', f'[{TABLES},{{"t":1}}]', "get_table_diff", [CELL]),
        ('5,{"t":{"r":1}}', f'[{TABLES},{{"t":{{"r":1}}}}]', "get_row_diff", [CELL]),
        ('6,{"t":{"r":{"c":1}}}', TABLES, "get_cell_diff", [CELL]),
        ('7,{"v":1}', f'[{{"v":[2,"{HLC}"]}}]', "get_value_diff", [("v", 2)]),
    ],
)
def test_answers_say_what_they_answer(question: str, answer: str, kind: str, brought: list[Any]) -> None:
    log = WireLog()
    asked = described(log, f'["id",{question}]')
    assert (asked["kind"], asked["answers"], asked["things"]) == (kind, None, [])
    answered = described(log, f'["id",0,{answer}]')
    assert (answered["kind"], answered["answers"], things(answered)) == ("response", kind, brought)
    assert described(WireLog(), f'["id",0,{answer}]')["things"] == []  # asked before anybody watched


def test_an_answer_of_another_shape_brings_nothing() -> None:
    log = WireLog()
    described(log, '["id",6,{}]')
    assert described(log, '["id",0,[1,2]]')["things"] == []


def test_what_is_large_is_cut() -> None:
    cells = ",".join(f'"c{number}":[1,"{HLC}"]' for number in range(MAX_TEXT))
    record = described(WireLog(), f'[null,3,[[{{"t":[{{"r":[{{{cells}}}]}}]}}],[{{}}],1]]')
    assert (len(record["things"]), record["more"]) == (MAX_THINGS, True)
    assert len(record["text"]) == MAX_TEXT + 2
    log = WireLog()
    for number in range(MAX_REQUESTS + 1):
        described(log, f'["{number}",6,{{}}]')
    assert described(log, f'["0",0,{TABLES}]')["answers"] is None
    assert described(log, f'["1",0,{TABLES}]')["answers"] == "get_cell_diff"
