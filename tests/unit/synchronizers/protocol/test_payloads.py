"""Payload text to messages and back."""

from __future__ import annotations

import itertools

import pytest

from durabase.errors import SyncError, SyncMessageError, SyncOverflowError
from durabase.synchronizers.protocol.messages import MessageType
from durabase.synchronizers.protocol.payloads import (
    MAX_PAYLOAD_BYTES,
    FragmentBudget,
    Payload,
    PayloadDecoder,
    encode_payloads,
)

HELLO = '["x",1,""]'
ID = "FRAGMENTFRAGMENT"


def piece(index: object, total: object, text: str, message_id: str = ID, address: str = "") -> str:
    return f"{address}\n{message_id}\n{index}\n{total}\n{text}"


def receive_all(decoder: PayloadDecoder, payloads: list[str], now: float = 0) -> list[Payload]:
    return [payload for text in payloads if (payload := decoder.receive(text, now)) is not None]


class TestMessages:
    def test_splits_at_the_first_line_feed_and_keeps_the_text(self) -> None:
        payload = PayloadDecoder().receive('B\n[ "x" , 1 , "" ]', 0)
        assert payload is not None
        assert payload.address == "B"
        assert payload.remainders == ['[ "x" , 1 , "" ]']
        assert (payload.message.request_id, payload.message.number) == ("x", MessageType.GET_CONTENT_HASHES)

    def test_white_space_may_precede_the_message(self) -> None:
        payload = PayloadDecoder().receive("\n\n\t " + HELLO, 0)
        assert payload is not None
        assert payload.remainders == ["\n\t " + HELLO]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "no line feed",
            "\n",
            "\n{}",
            "\n[]",
            '\n["x",1,"z"]',
            "\n5",
            "\ntrue",
            "\n-",
            "\nnull",
            "\n\ufeff" + HELLO,
            '\n["x",1,NaN]',
            '\n["x",2,[Infinity,1]]',
            '\n["x",true,""]',
            '\n["x",1e999,""]',
            f'\n["x",2,[{"9" * 5000},1]]',
            "\n" + "[" * 100000,
        ],
    )
    def test_what_is_no_message_is_refused(self, text: str) -> None:
        with pytest.raises(SyncMessageError) as caught:
            PayloadDecoder().receive(text, 0)
        assert (caught.value.close_code, str(caught.value)) == (1007, "tinybase:14")

    def test_a_whole_float_is_an_integer(self) -> None:
        payload = PayloadDecoder().receive('\n["x",1.0,""]', 0)
        assert payload is not None
        assert payload.message.number is MessageType.GET_CONTENT_HASHES

    def test_after_the_first_invalid_payload_nothing_is_read(self) -> None:
        decoder = PayloadDecoder()
        decoder.receive(piece(0, 2, "a"), 0)
        with pytest.raises(SyncMessageError):
            decoder.receive("bad", 0)
        assert decoder.is_poisoned
        assert decoder.next_deadline() is None
        assert decoder.receive("\n" + HELLO, 0) is None
        assert decoder.receive("still bad", 0) is None

    def test_a_payload_that_is_too_long_is_an_overflow_of_the_socket(self) -> None:
        text = "\n" + " " * (MAX_PAYLOAD_BYTES - 1 - len(HELLO)) + HELLO
        assert PayloadDecoder().receive(text, 0) is not None
        with pytest.raises(SyncOverflowError, match="15:socket") as caught:
            PayloadDecoder().receive("x" + text, 0)
        assert caught.value.close_code == 1013

    def test_a_piece_that_is_too_long_is_an_overflow_of_fragments(self) -> None:
        with pytest.raises(SyncOverflowError, match="15:fragments"):
            PayloadDecoder().receive(piece(0, 2, "x" * MAX_PAYLOAD_BYTES), 0)

    def test_length_is_counted_in_bytes(self) -> None:
        text = "\n" + "\u2028" * (MAX_PAYLOAD_BYTES // 3)
        with pytest.raises(SyncMessageError):
            PayloadDecoder().receive(text, 0)
        with pytest.raises(SyncOverflowError):
            PayloadDecoder().receive(text + "x", 0)


class TestFragments:
    def test_pieces_in_any_order_make_the_message_and_come_out_in_order(self) -> None:
        decoder = PayloadDecoder()
        assert decoder.receive(piece(2, 3, '""]', address="B"), 0) is None
        assert decoder.receive(piece(0, 3, '["x"', address="B"), 0) is None
        payload = decoder.receive(piece(1, 3, ",1,", address="B"), 0)
        assert payload is not None
        assert payload.address == "B"
        assert payload.remainders == [f"{ID}\n0\n3\n" + '["x"', f"{ID}\n1\n3\n,1,", f"{ID}\n2\n3\n" + '""]']
        assert payload.message.request_id == "x"
        assert decoder.next_deadline() is None

    def test_a_group_belongs_to_its_address(self) -> None:
        decoder = PayloadDecoder()
        decoder.receive(piece(0, 2, '["x"', address="B"), 0)
        assert decoder.receive(piece(1, 2, ',1,""]', address="C"), 0) is None
        assert decoder.receive(piece(1, 2, ',1,""]', address="B"), 0) is not None

    def test_one_piece_is_a_message(self) -> None:
        payload = PayloadDecoder().receive(piece("0", "01", HELLO), 0)
        assert payload is not None
        assert payload.remainders == [f"{ID}\n0\n01\n{HELLO}"]

    def test_pieces_may_be_empty_and_hold_line_feeds(self) -> None:
        decoder = PayloadDecoder()
        assert receive_all(decoder, [piece(0, 3, ""), piece(1, 3, "\n"), piece(2, 3, HELLO)])[0].message

    @pytest.mark.parametrize(
        "text",
        [
            piece(2, 2, "x"),
            piece(0, 0, "x"),
            piece("+0", 2, "x"),
            piece(" 0", 2, "x"),
            piece("0_0", 2, "x"),
            piece("-0", 2, "x"),
            piece("٠", 2, "x"),
            piece(0, "٢", "x"),
            piece("0x0", 2, "x"),
            piece("", 2, "x"),
            piece("9" * 5000, 2, "x"),
            piece(0, 2, "x", "short"),
            piece(0, 2, "x", ID + "x"),
            f"\n{ID}\n0\n2",
            piece(0, 2, "x", ID[:-1] + "é"),
            piece("0\n", 2, "x"),
            piece(0, 1, "not json"),
            piece(0, "1.0", HELLO),
        ],
    )
    def test_bad_headers_are_refused(self, text: str) -> None:
        with pytest.raises(SyncMessageError):
            PayloadDecoder().receive(text, 0)

    @pytest.mark.parametrize("total", ["1001", "9" * 5000])
    def test_too_many_pieces_are_an_overflow(self, total: str) -> None:
        with pytest.raises(SyncOverflowError, match="15:fragments"):
            PayloadDecoder().receive(piece("9" * 6000, total, "x"), 0)

    @pytest.mark.parametrize("second", [piece(0, 2, "a"), piece(1, 3, "b")])
    def test_a_piece_twice_or_another_total_is_refused(self, second: str) -> None:
        decoder = PayloadDecoder()
        decoder.receive(piece(0, 2, "a"), 0)
        with pytest.raises(SyncMessageError):
            decoder.receive(second, 0)

    def test_a_joined_message_that_is_none_is_refused(self) -> None:
        decoder = PayloadDecoder()
        decoder.receive(piece(0, 2, '["x",1'), 0)
        with pytest.raises(SyncMessageError):
            decoder.receive(piece(1, 2, ',"z"]'), 0)

    def test_the_101st_incomplete_message_is_an_overflow(self) -> None:
        decoder = PayloadDecoder()
        for number in range(100):
            decoder.receive(piece(0, 2, "x", f"FRAGMENTFREE{number:04}"), 0)
        assert decoder.receive("\n" + HELLO, 0) is not None
        with pytest.raises(SyncOverflowError, match="15:fragments"):
            decoder.receive(piece(0, 2, "x"), 0)

    def test_bytes_that_wait_are_bounded_exactly(self) -> None:
        half = MAX_PAYLOAD_BYTES // 2
        head = len(f"{ID}\n0\n3\n")
        key = len(f"\n{ID}")
        decoder = PayloadDecoder()
        decoder.receive(piece(0, 3, "x" * (half - head - key)), 0)
        decoder.receive(piece(1, 3, "x" * (half - head)), 0)
        with pytest.raises(SyncOverflowError, match="15:fragments"):
            decoder.receive(piece(2, 3, ""), 0)

    def test_an_incomplete_message_is_dropped_a_timeout_after_its_first_piece(self) -> None:
        decoder = PayloadDecoder(timeout_seconds=2)
        decoder.receive(piece(0, 2, '["x"'), 500)
        decoder.receive(piece(0, 2, "y", "FRAGMENTFREE0000"), 1500)
        assert decoder.next_deadline() == 2500
        decoder.expire(2499)
        assert decoder.next_deadline() == 2500
        decoder.expire(2500)
        assert decoder.next_deadline() == 3500
        assert decoder.receive(piece(1, 2, ',1,""]'), 2500) is None
        assert decoder.receive(piece(0, 2, '["x"'), 2500) is not None

    def test_a_budget_is_shared_and_given_back(self) -> None:
        budget = FragmentBudget()
        one, other = PayloadDecoder(budget=budget), PayloadDecoder(budget=budget)
        for number in range(60):
            one.receive(piece(0, 2, "x", f"FRAGMENTFREE{number:04}"), 0)
        for number in range(40):
            other.receive(piece(0, 2, "x", f"FRAGMENTFREE{number:04}"), 0)
        with pytest.raises(SyncOverflowError):
            other.receive(piece(0, 2, "x"), 0)
        assert budget.groups == 60
        one.clear()
        assert (budget.groups, budget.size) == (0, 0)


class TestEncode:
    def test_uncut(self) -> None:
        assert encode_payloads("S", HELLO) == ["S\n" + HELLO]

    @pytest.mark.parametrize("size", [0, 0.9, -5, float("nan"), float("inf"), None])
    def test_sizes_that_mean_no_cutting(self, size: float | None) -> None:
        assert encode_payloads("S", HELLO * 1000, size) == ["S\n" + HELLO * 1000]

    def test_a_text_that_fits_is_not_cut(self) -> None:
        assert encode_payloads("", "x" * 40, 40) == ["\n" + "x" * 40]

    def test_code_points_stay_whole_and_sizes_are_bytes(self) -> None:
        text = "aé\u2028😀" * 50
        payloads = encode_payloads("to", text, 10.9)
        pieces = [payload.split("\n", 4)[4] for payload in payloads]
        assert "".join(pieces) == text
        assert all(len(part.encode()) <= 10 for part in pieces)
        assert all(len((part + following[0]).encode()) > 10 for part, following in itertools.pairwise(pieces))
        assert [payload.split("\n", 4)[:4:2] for payload in payloads] == [
            ["to", str(i)] for i in range(len(pieces))
        ]

    def test_lone_surrogates_count_three_bytes(self) -> None:
        payloads = encode_payloads("", "\ud800" * 5, 6)
        assert [payload.split("\n", 4)[4] for payload in payloads] == ["\ud800" * 2, "\ud800" * 2, "\ud800"]

    def test_pieces_grow_to_keep_within_a_thousand(self) -> None:
        assert len(encode_payloads("", "x" * 100_000, 1)) <= 1000
        assert len(encode_payloads("", "😀" * 100_000, 1)) <= 1000

    def test_what_is_cut_is_read(self) -> None:
        message = '["x",3,[[{}],[{"v":["' + "aé😀" * 700 + '"]}],1]]'
        (payload,) = receive_all(PayloadDecoder(), encode_payloads("A", message, 30))
        assert payload.message.body[1][0]["v"] == ["aé😀" * 700]


def test_errors_are_of_one_family() -> None:
    assert issubclass(SyncMessageError, SyncError)
    assert issubclass(SyncOverflowError, SyncError)
