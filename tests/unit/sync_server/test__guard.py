"""What of a client's messages goes any further."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durabase.errors import UnauthenticatedError
from durabase.sync_server._guard import MAX_QUESTIONS, Guard, Questions
from durabase.sync_server.access import Access
from durabase.sync_server.rules import Rules
from durabase.synchronizers.protocol.messages import Message, MessageType, parse_message
from durabase.synchronizers.protocol.payloads import Payload, PayloadDecoder, encode_payloads

HLC = "NrbEJxl---0dmwzH"
ROW = {"r": [{"c": [1, HLC]}]}
TABLES = [{"open": [ROW], "shut": [ROW]}]
OPEN_TABLES = [{"open": [ROW]}]
VALUES = [{"open": [1, HLC], "shut": [2, HLC]}]
RULES = Rules({"tables": {"shut": {"write": "admin"}}, "values": {"shut": {"write": "admin"}}})
READER, WRITER, ADMIN = Access("read"), Access("write"), Access("admin")


def payload(number: int, body: Any, address: str = "", request_id: str = "q.0001") -> Payload:
    text = json.dumps([request_id, number, body], separators=(",", ":"))
    return Payload(address, [text], parse_message(text))


def guard(access: Access = WRITER, rules: Rules = RULES, questions: Questions | None = None) -> Guard:
    return Guard(access, rules, questions or Questions(), "me")


def passed(made: Payload, access: Access = WRITER, rules: Rules = RULES) -> Any:
    """The body of what goes further."""
    found = guard(access, rules).let_through(made, 0)
    return None if found is None else found.message.body


QUESTIONS = [(1, ""), (4, {"t": 1}), (5, {"t": {"r": 1}}), (6, {"t": {"r": {"c": 1}}}), (7, {"v": 1})]
CONTENT = [
    (0, [1, 2]),
    (0, TABLES),
    (0, VALUES),
    (0, [TABLES, {"t": 1}]),
    (0, [TABLES, {"t": {"r": 1}}]),
    (2, [1, 2]),
    (3, [TABLES, VALUES, 1]),
    (3, [TABLES, VALUES]),
]


@pytest.mark.parametrize(("number", "body"), QUESTIONS)
def test_everybody_may_ask(number: int, body: Any) -> None:
    made = payload(number, body)
    for access in (READER, WRITER, ADMIN):
        assert guard(access).let_through(made, 0) is made


@pytest.mark.parametrize("address", ["", "S", "someone"])
@pytest.mark.parametrize(("number", "body"), CONTENT)
def test_nothing_that_a_reader_has_goes_further(number: int, body: Any, address: str) -> None:
    assert guard(READER).let_through(payload(number, body, address), 0) is None


@pytest.mark.parametrize(("number", "body"), CONTENT)
def test_what_may_all_be_written_passes_as_it_came(number: int, body: Any) -> None:
    made = payload(number, body)
    assert guard(ADMIN).let_through(made, 0) is made
    assert guard(WRITER, Rules()).let_through(made, 0) is made


@pytest.mark.parametrize(
    ("number", "body", "remains"),
    [
        (3, [TABLES, VALUES, 1], [OPEN_TABLES, [{"open": [1, HLC]}], 1]),
        (3, [TABLES, [{}]], [OPEN_TABLES, [{}]]),
        (3, [[{"shut": [ROW]}], VALUES, 1], [[{}], [{"open": [1, HLC]}], 1]),
        (3, [[{"shut": [ROW]}], [{"shut": [2, HLC]}], 1], None),
        (0, VALUES, [{"open": [1, HLC]}]),
        (0, [{"shut": [2, HLC]}], [{}]),
        (0, [TABLES, {"t": 1}], [OPEN_TABLES, {"t": 1}]),
        (0, [TABLES, {"t": {"r": 1}}], [OPEN_TABLES, {"t": {"r": 1}}]),
        (2, [1, 2], [1, 2]),
        (0, [1, 2], [1, 2]),
    ],
)
def test_what_may_not_be_written_is_left_out(number: int, body: Any, remains: Any) -> None:
    assert passed(payload(number, body)) == remains


def test_a_rewritten_message_says_on_the_wire_what_it_says() -> None:
    found = guard().let_through(payload(3, [TABLES, VALUES, 1], "someone", "id"), 0)
    assert found is not None
    assert (found.address, len(found.remainders)) == ("someone", 1)
    assert (
        parse_message(found.remainders[0])
        == found.message
        == Message("id", MessageType.CONTENT_DIFF, [OPEN_TABLES, [{"open": [1, HLC]}], 1])
    )


def test_what_came_in_pieces_goes_in_pieces_as_long() -> None:
    values = [{**VALUES[0], "text": ["x" * 100, HLC]}]
    text = json.dumps(["id", 3, [[{}], values, 1]])
    decoder, found = PayloadDecoder(), None
    for piece in encode_payloads("", text, 40):
        found = decoder.receive(piece, 0) or found
    assert found is not None
    rewritten = guard().let_through(found, 0)
    assert rewritten is not None
    assert len(rewritten.remainders) > 1
    again, whole = PayloadDecoder(), None
    for remainder in rewritten.remainders:
        whole = again.receive(f"\n{remainder}", 0) or whole
    assert whole is not None
    assert whole.message == rewritten.message
    assert max(len(text.split("\n", 3)[3]) for text in rewritten.remainders) <= 40


class TestTablesThatCouldBeTakenForValues:
    """``{"shut": [{"r": …}]}`` is a table of cells, or a value that is an object: the question tells."""

    RULES = Rules({"values": {"shut": {"write": "admin"}}})

    def answered(self, asked: int | None, who: str = "someone") -> Any:
        questions = Questions()
        if asked is not None:
            body: Any = {} if asked != 1 else ""
            Guard(READER, self.RULES, questions, who).let_through(payload(asked, body), 0)
        found = guard(WRITER, self.RULES, questions).let_through(payload(0, TABLES, "someone"), 0)
        return None if found is None else found.message.body

    @pytest.mark.parametrize("asked", [4, 5, 6])
    def test_they_are_tables_if_tables_were_asked_for(self, asked: int) -> None:
        assert self.answered(asked) == TABLES

    @pytest.mark.parametrize("asked", [7, 1, None])
    def test_else_they_must_be_allowed_as_values_too(self, asked: int | None) -> None:
        assert self.answered(asked) == OPEN_TABLES

    def test_what_another_has_asked_does_not_count(self) -> None:
        assert self.answered(6, who="mallory") == OPEN_TABLES

    def test_the_oldest_questions_are_forgotten(self) -> None:
        questions = Questions()
        first = payload(6, {}).message
        questions.ask("a", first)
        for number in range(MAX_QUESTIONS):
            questions.ask("b", payload(6, {}, request_id=str(number)).message)
        assert not questions.is_about_tables("a", first)
        assert questions.is_about_tables("b", payload(0, [1, 2], request_id="0").message)


def test_things_that_are_objects_are_no_tables_and_do_no_harm() -> None:
    body = [{"open": [{"r": [{"c": 5}]}, HLC], "shut": [{"a": 1}, HLC]}]
    assert passed(payload(0, body)) == [{"open": [{"r": [{"c": 5}]}, HLC]}]


def test_nothing_passes_when_the_access_is_over() -> None:
    over = Access("admin", expires_at=10)
    assert guard(over).let_through(payload(1, ""), 9_999) is not None
    with pytest.raises(UnauthenticatedError, match="over"):
        guard(over).let_through(payload(1, ""), 10_000)


def test_a_check_that_fails_lets_nothing_pass() -> None:
    def check(*_: Any) -> bool:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        guard(WRITER, Rules(check=check)).let_through(payload(3, [TABLES, VALUES, 1]), 0)
