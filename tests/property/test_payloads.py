"""The decoder: any text parses or raises, whole or in pieces, with the same result."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from durabase._codec import json_text_with_undefined
from durabase.errors import SyncMessageError, SyncOverflowError
from durabase.synchronizers.protocol.payloads import PayloadDecoder, encode_payloads

hashes = st.integers(0, 2**32 - 1)
ids = st.text(max_size=6)
hlcs = st.text("-0123456789ABZ_az", min_size=16, max_size=16)
things = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.text(max_size=20).filter(lambda t: t != "\ufffc"),
)
stamps = st.one_of(st.tuples(things), st.tuples(things, hlcs)).map(list)


def containers(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(ids, children, max_size=3).map(lambda members: [members])


diffs = st.tuples(containers(containers(containers(stamps))), containers(stamps), st.just(1)).map(list)
messages = st.one_of(
    st.tuples(st.none() | ids, st.just(1), st.just("")),
    st.tuples(st.none() | ids, st.just(2), st.tuples(hashes, hashes).map(list)),
    st.tuples(st.none() | ids, st.just(3), diffs),
    st.tuples(ids, st.sampled_from([4, 7]), st.dictionaries(ids, hashes, max_size=4)),
).map(lambda parts: json_text_with_undefined(list(parts)))

_encodable = st.text(st.characters(exclude_categories=["Cs"]))
addresses = _encodable.filter(lambda text: "\n" not in text)


def outcome(payloads: list[str]) -> tuple[str, Any]:
    """What a fresh decoder makes of payloads that carry one message."""
    decoder = PayloadDecoder()
    try:
        results = [decoder.receive(payload, 0) for payload in payloads]
    except (SyncMessageError, SyncOverflowError) as error:
        assert decoder.is_poisoned
        return "refused", str(error)
    read = [payload for payload in results if payload is not None]
    if not read:
        return "waiting", None
    (payload,) = read
    return "read", (payload.address, repr(payload.message))


@given(_encodable)
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    assert outcome([text])[0] in ("read", "refused", "waiting")


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "\n",
                    "[",
                    "]",
                    '"',
                    ",",
                    "1",
                    "0",
                    "2",
                    "FRAGMENTFRAGMENT",
                    "\nFRAGMENTFRAGMENT\n0\n2\n",
                    "-1",
                ]
            ),
            _encodable,
        ),
        max_size=12,
    ).map("".join)
)
@settings(max_examples=300, deadline=None)
def test_text_of_likely_parts_is_read_or_refused(text: str) -> None:
    assert outcome([text])[0] in ("read", "refused", "waiting")


@given(addresses, messages, st.integers(1, 60), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_a_message_whole_or_in_pieces_is_the_same(address: str, message: str, size: int, random: Any) -> None:
    pieces = encode_payloads(address, message, size)
    random.shuffle(pieces)
    whole = outcome([f"{address}\n{message}"])
    assert whole[0] == "read"
    assert outcome(pieces) == whole


@given(addresses, messages, st.integers(0, 200), _encodable, st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_a_damaged_message_whole_or_in_pieces_is_the_same(
    address: str, message: str, at: int, damage: str, size: int
) -> None:
    damaged = "[" + message[:at] + damage + message[at + 1 :]
    assert outcome(encode_payloads(address, damaged, size)) == outcome([f"{address}\n{damaged}"])
