"""The eight messages: what has the right shape, what has not, and how they are written."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from durabase.errors import SyncMessageError
from durabase.synchronizers.protocol.messages import (
    Message,
    MessageType,
    check_message,
    is_answer,
    message_text,
    parse_message,
)
from durabase.types import UNDEFINED, UNDEFINED_MARK

HLC = "NjEtLV-----7JQY8"

VALID: list[tuple[int, Any]] = [
    (0, [1, 2]),
    (0, [{}]),
    (0, [{}, ""]),
    (0, [{}, HLC]),
    (0, [{"v": [1, HLC]}]),
    (0, [{"t": [{"r": [{"c": [1]}, HLC]}]}]),
    (0, [[{}], {}]),
    (0, [[{}], {"t": 1}]),
    (0, [[{}], {"t": {"r": 4294967295}}]),
    (0, [[{}], {"t": {}}]),
    (1, ""),
    (2, [0, 4294967295]),
    (2, [1.0, -0.0]),
    (3, [[{}], [{}]]),
    (3, [[{}], [{}], 1]),
    (3, [[{}], [{}], 1.0]),
    (3, [[{"t": [{"r": [{"c": [UNDEFINED, HLC]}]}]}], [{"v": [None]}], 1]),
    (3, [[{}], [{"a": [True], "b": [1.5], "c": ["\ufffdnot json"], "d": [{}], "e": [[]]}], 1]),
    (3, [[{}], [{"v": [1, "zzzzzzzzzzzzzzzz"]}], 1]),
    (4, {}),
    (4, {"t": 1}),
    (5, {"t": {"r": 1}}),
    (6, {"t": {"r": {"c": 1}}}),
    (7, {"v": 0}),
]

INVALID: list[tuple[Any, Any]] = [
    (-1, [0, 1]),
    (8, {}),
    (1.5, ""),
    ("1", ""),
    (True, ""),
    (nan, ""),
    (inf, ""),
    (None, ""),
    (0, "x"),
    (0, None),
    (0, []),
    (0, [1]),
    (0, [1, 2, 3]),
    (0, [[{}], {"t": {"r": {}}}]),
    (0, [[{}], {"t": 1, "u": {}}]),
    (1, None),
    (1, "x"),
    (1, UNDEFINED),
    (2, [1]),
    (2, [1, -1]),
    (2, [1, 4294967296]),
    (2, [1, 1.5]),
    (2, [1, True]),
    (2, [1, nan]),
    (2, [1, inf]),
    (2, ["1", 2]),
    (2, {}),
    (3, [[{}]]),
    (3, [[{}], [{}], 2]),
    (3, [[{}], [{}], True]),
    (3, [[{}], [{}], 1, 1]),
    (3, [[{}, "bad"], [{}], 1]),
    (3, [[{}, 0], [{}], 1]),
    (3, [[{}, UNDEFINED], [{}], 1]),
    (3, [[{}, HLC + "\n"], [{}], 1]),
    (3, [[{}, "NjEtLV-----7JQY\u0668"], [{}], 1]),
    (3, [[{}, "", 5], [{}], 1]),
    (3, [[[]], [{}], 1]),
    (3, [[UNDEFINED], [{}], 1]),
    (3, [[], [{}], 1]),
    (3, [[{"t": [1]}], [{}], 1]),
    (3, [[{"t": [{"r": [None]}]}], [{}], 1]),
    (3, [[{}], [{"v": 1}], 1]),
    (3, [[{}], [{"v": [1, "", 5]}], 1]),
    (3, [[{}], [{"v": [nan]}], 1]),
    (3, [[{}], [{"v": [UNDEFINED_MARK]}], 1]),
    (4, {"t": {}}),
    (4, []),
    (4, {"t": "1"}),
    (5, {"t": 1}),
    (5, {"t": {"r": {}}}),
    (6, {"t": {"r": 1}}),
    (7, []),
]


@pytest.mark.parametrize(("number", "body"), VALID)
def test_valid(number: int, body: Any) -> None:
    message = check_message("id", number, body)
    assert message == Message("id", MessageType(number), body)
    assert message.number is MessageType(number)


@pytest.mark.parametrize(("number", "body"), INVALID)
def test_invalid(number: Any, body: Any) -> None:
    with pytest.raises(SyncMessageError) as caught:
        check_message("id", number, body)
    assert str(caught.value) == "tinybase:14"
    assert "expected" in caught.value.__notes__[0]


@pytest.mark.parametrize("request_id", [5, {}, [], UNDEFINED, True, 0])
def test_a_request_id_is_text_or_null(request_id: object) -> None:
    with pytest.raises(SyncMessageError):
        check_message(request_id, 1, "")
    assert check_message(None, 1, "").request_id is None


def test_a_number_may_come_as_a_float() -> None:
    assert check_message(None, 1.0, "").number is MessageType.GET_CONTENT_HASHES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "{}",
        "[]",
        "[null,1]",
        '[null,1,"",0]',
        '"\ufffc"',
        "[null,1,NaN]",
        "[null,2,[Infinity,1]]",
        "[" * 100_000,
        '[null,1,""] x',
        '["\ufffc",1,""]',
        f'[null,4,{{"t":1{"0" * 5000}}}]',
    ],
)
def test_text_that_is_no_message(text: str) -> None:
    with pytest.raises(SyncMessageError):
        parse_message(text)


def test_text_and_back() -> None:
    text = '["a\\"b",3,[[{"t":[{"r":[{"c":["\ufffc","NjEtLV-----7JQY8"]}]}]}],[{"v":[1.5]}],1]]'
    message = parse_message(text)
    assert message.body[0][0]["t"][0]["r"][0]["c"][0] is UNDEFINED
    assert message_text(message) == text


def test_text_without_request_id() -> None:
    assert message_text(Message(None, MessageType.RESPONSE, [0, 0])) == "[null,0,[0,0]]"


@pytest.mark.parametrize(
    ("request_type", "body", "expected"),
    [
        (MessageType.GET_CONTENT_HASHES, [1, 2], True),
        (MessageType.GET_CONTENT_HASHES, [{}], False),
        (MessageType.GET_CONTENT_HASHES, [[{}], {}], False),
        (MessageType.GET_TABLE_DIFF, [[{}], {}], True),
        (MessageType.GET_TABLE_DIFF, [[{}], {"t": 1}], True),
        (MessageType.GET_TABLE_DIFF, [[{}], {"t": {"r": 1}}], False),
        (MessageType.GET_TABLE_DIFF, [1, 2], False),
        (MessageType.GET_TABLE_DIFF, [{}], False),
        (MessageType.GET_TABLE_DIFF, [{}, ""], False),
        (MessageType.GET_ROW_DIFF, [[{}], {"t": {"r": 1}}], True),
        (MessageType.GET_ROW_DIFF, [[{}], {"t": 1}], False),
        (MessageType.GET_CELL_DIFF, [{"t": [{"r": [{"c": [1]}]}]}], True),
        (MessageType.GET_CELL_DIFF, [{"v": [1]}], False),
        (MessageType.GET_CELL_DIFF, [1, 2], False),
        (MessageType.GET_VALUE_DIFF, [{"v": [1]}], True),
        (MessageType.GET_VALUE_DIFF, [[{}], {}], False),
    ],
)
def test_answers_fit_their_requests(request_type: MessageType, body: Any, expected: bool) -> None:
    check_message("id", 0, body)  # all of them are valid responses
    assert is_answer(request_type, body) is expected
