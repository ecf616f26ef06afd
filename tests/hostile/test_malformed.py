"""Malformed payloads: the sender is closed, all others go on, nothing is half-applied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e._server import Server
from hostile._peer import HASHES, Peer, now, text, values_diff
from hostile._wire import BINARY, frame

INVALID = (1007, "tinybase:14")
GOOD_TIME = "P75eASC----7JQY8"
ROOM = "/malformed"


def diff_with(thing: str) -> str:
    """A ContentDiff of two values, of which the first is good."""
    return f'\n["x",3,[[{{}}],[{{"good":[1,"{now()}"],"bad":[{thing},"{now()}"]}}],1]]'


def diff_with_stamp(stamp: str) -> str:
    return f'\n["x",3,[[{{}}],[{{"good":[1,"{now()}"],"bad":{stamp}}}],1]]'


def tables(stamp: str) -> str:
    return f'\n["x",3,[{stamp},[{{"good":[1,"{now()}"]}}],1]]'


PAYLOADS = {
    "empty": "",
    "without a line feed": '["x",1,""]',
    "only an address": "\n",
    "not JSON": "\nhello there",
    "a shorter array": '\n["x",1]',
    "a longer array": '\n["x",1,"",0]',
    "an object": '\n{"0":"x","1":1,"2":""}',
    "null": "\nnull",
    "a trailing comma": '\n["x",1,"",]',
    "a second value": '\n["x",1,""][]',
    "single quotes": "\n['x',1,'']",
    "a comment": '\n["x",1,""]//',
    "a byte order mark": '\n\ufeff["x",1,""]',
    "space that JSON does not know": '\n\u00a0["x",1,""]',
    "a form feed": '\n\f["x",1,""]',
    "a line feed in a string": '\n["x\ny",1,""]',
    "a NUL in a string": '\n["x\0y",1,""]',
    "a number as request id": '\n[1,1,""]',
    "true as request id": '\n[true,1,""]',
    "true as number": '\n["x",true,""]',
    "false as number": '\n["x",false,[0,0]]',
    "a string as number": '\n["x","1",""]',
    "a fraction as number": '\n["x",1.5,""]',
    "an unknown number": '\n["x",8,""]',
    "a negative number": '\n["x",-1,""]',
    "NaN as number": '\n["x",NaN,""]',
    "infinite number": '\n["x",1e999,""]',
    "a body that is due empty": '\n["x",1,null]',
    "a number with an underscore": '\n["x",2,[1_0,0]]',
    "Arabic digits": '\n["x",2,[\u0661,0]]',
    "wide digits": '\n["x",2,[\uff11,0]]',
    "a leading plus": '\n["x",2,[+1,0]]',
    "a leading zero": '\n["x",2,[01,0]]',
    "no digit before the point": '\n["x",2,[.5,0]]',
    "no digit after the point": '\n["x",2,[5.,0]]',
    "hexadecimal": '\n["x",2,[0x10,0]]',
    "true as hash": '\n["x",2,[true,0]]',
    "false as hash": '\n["x",2,[0,false]]',
    "null as hash": '\n["x",2,[null,0]]',
    "a string as hash": '\n["x",2,["1",0]]',
    "a fraction as hash": '\n["x",2,[1.5,0]]',
    "a hash below 0": '\n["x",2,[-1,0]]',
    "a hash over 32 bits": '\n["x",2,[4294967296,0]]',
    "an infinite hash": '\n["x",2,[1e999,0]]',
    "a hash of 5,000 digits": f'\n["x",2,[{"9" * 5000},0]]',
    "three hashes": '\n["x",2,[0,0,0]]',
    "true in a hash map": '\n["x",4,{"pets":true}]',
    "an array as hash map": '\n["x",4,[1]]',
    "null as hash map": '\n["x",7,null]',
    "a hash map of the wrong depth": '\n["x",6,{"pets":{"fido":1}}]',
    "a diff of one": '\n["x",3,[[{}]]]',
    "a diff of four": '\n["x",3,[[{}],[{}],1,1]]',
    "a diff with true": '\n["x",3,[[{}],[{}],true]]',
    "a diff with 0": '\n["x",3,[[{}],[{}],0]]',
    "a diff with a string": '\n["x",3,[[{}],[{}],"1"]]',
    "a bad escape": '\n["\\x41",1,""]',
    "half an escape": '\n["\\u004",1,""]',
    "an escape with an underscore": '\n["\\u0_41",1,""]',
    "an escape with a space": '\n["\\u 041",1,""]',
    "an escape with a sign": '\n["\\u+041",1,""]',
    "an escape with wide digits": '\n["\\u\uff10\uff10\uff14\uff11",1,""]',
    "a nesting of 100,000": diff_with("[" * 100_000 + "]" * 100_000),
    "objects nested 100,000 deep": diff_with('{"a":' * 100_000 + "1" + "}" * 100_000),
    "a nesting of 100,000 without an end": "\n" + "[" * 100_000,
    "NaN as a thing": diff_with("NaN"),
    "Infinity as a thing": diff_with("Infinity"),
    "-Infinity as a thing": diff_with("-Infinity"),
    "a thing too large for a double": diff_with("1e999"),
    "a thing of 1,000 digits": diff_with("1" * 1000),
    "a thing of 5,000 digits": diff_with("-" + "1" * 5000),
    "undefined as JavaScript has it": diff_with("undefined"),
    "an empty stamp": diff_with_stamp("[]"),
    "a stamp that is none": diff_with_stamp("1"),
    "null as stamp": diff_with_stamp("null"),
    "a stamp with a hash": diff_with_stamp(f'[1,"{GOOD_TIME}",1]'),
    "a number as time": diff_with_stamp("[1,1]"),
    "null as time": diff_with_stamp("[1,null]"),
    "a time too short": diff_with_stamp(f'[1,"{GOOD_TIME[1:]}"]'),
    "a time too long": diff_with_stamp(f'[1,"{GOOD_TIME}-"]'),
    "a time with a line feed": diff_with_stamp(f'[1,"{GOOD_TIME}\\n"]'),
    "a time of other letters": diff_with_stamp(f'[1,"{GOOD_TIME[:-1]}\u00e9"]'),
    "a time with a space": diff_with_stamp(f'[1,"{GOOD_TIME[:-1]} "]'),
    "tables with a hash": tables('[{},"",1]'),
    "a table with a hash": tables('[{"t":[{},"",1]}]'),
    "a row with a hash": tables('[{"t":[{"r":[{},"",1]}]}]'),
    "a cell with a hash": tables(f'[{{"t":[{{"r":[{{"c":[1,"{GOOD_TIME}",1]}}]}}]}}]'),
    "tables that are an array": tables("[[]]"),
    "a table that is null": tables('[{"t":[null]}]'),
    "a row that is a string": tables('[{"t":[{"r":["x"]}]}]'),
    "a row that is undefined": tables('[{"t":[{"r":["\ufffc"]}]}]'),
    "an answer that is none": '\n["x",0,[[{}],{},1]]',
    "an answer with a bad map": '\n["x",0,[[{}],{"a":1,"b":{"c":1}}]]',
}
FRAGMENT = "0123456789abcdef"
HEADERS = {
    "a short message id": "\n0123456789abcde\n0\n2\n[",
    "a long message id": "\n0123456789abcdefg\n0\n2\n[",
    "a message id of other letters": "\n0123456789abcde\u00e9\n0\n2\n[",
    "a message id of wide digits": "\n\uff10123456789abcdef\n0\n2\n[",
    "no total": f"\n{FRAGMENT}\n0\n[",
    "an empty index": f"\n{FRAGMENT}\n\n2\n[",
    "an empty total": f"\n{FRAGMENT}\n0\n\n[",
    "a negative index": f"\n{FRAGMENT}\n-1\n2\n[",
    "a signed index": f"\n{FRAGMENT}\n+0\n2\n[",
    "a signed total": f"\n{FRAGMENT}\n0\n+2\n[",
    "an index with a space": f"\n{FRAGMENT}\n 0\n2\n[",
    "a total with a space": f"\n{FRAGMENT}\n0\n2 \n[",
    "a total with a carriage return": f"\n{FRAGMENT}\n0\n2\r\n[",
    "an index with an underscore": f"\n{FRAGMENT}\n0_0\n2\n[",
    "a fraction as index": f"\n{FRAGMENT}\n0.0\n2\n[",
    "an exponent as total": f"\n{FRAGMENT}\n0\n2e0\n[",
    "hexadecimal total": f"\n{FRAGMENT}\n0\n0x2\n[",
    "Arabic digits as index": f"\n{FRAGMENT}\n\u0660\n2\n[",
    "wide digits as total": f"\n{FRAGMENT}\n0\n\uff12\n[",
    "a superscript as total": f"\n{FRAGMENT}\n0\n\u00b2\n[",
    "a total of 0": f"\n{FRAGMENT}\n0\n0\n[",
    "an index that is the total": f"\n{FRAGMENT}\n2\n2\n[",
    "an index of 5,000 digits": f"\n{FRAGMENT}\n{'9' * 5000}\n2\n[",
    "a single piece that is no message": f"\n{FRAGMENT}\n0\n1\n[]",
}


@pytest.fixture(scope="module")
def witness(shared_server: Server) -> Iterator[Peer]:
    """Somebody who is in the room all the time, and has something stored there."""
    with Peer(shared_server.port, ROOM) as witness:
        witness.broadcast(values_diff({"kept": 1}))
        witness.hashes()
        yield witness


def check_refused(server: Server, witness: Peer, payload: str | bytes) -> None:
    """Whoever sends this is closed, and nothing after it counts; the store stays as it is."""
    before = witness.hashes()
    with Peer(server.port, ROOM) as sender:
        sender.send(payload if isinstance(payload, bytes) else frame(payload))
        sender.send_text(f"\n{text(['x', 3, values_diff({'late': 1})])}")
        assert sender.receive_close() == INVALID
    assert witness.hashes() == before


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_an_invalid_message_closes_its_sender(server: Server, witness: Peer, payload: str) -> None:
    check_refused(server, witness, payload)


@pytest.mark.parametrize("payload", HEADERS.values(), ids=HEADERS.keys())
def test_an_invalid_head_of_a_piece_closes_its_sender(server: Server, witness: Peer, payload: str) -> None:
    check_refused(server, witness, payload)


def test_binary_messages_are_invalid(server: Server, witness: Peer) -> None:
    check_refused(server, witness, frame('\n["x",1,""]', BINARY))


@pytest.mark.parametrize("address", ["S", "nobody", "\u00e9" * 100])
def test_what_is_for_one_only_is_checked_too(server: Server, witness: Peer, address: str) -> None:
    check_refused(server, witness, f"{address}\n[]")


def test_the_others_go_on(server: Server, witness: Peer) -> None:
    witness.broadcast(values_diff({"kept": 2}))
    assert witness.values().keys() == {"kept"}


def test_nothing_invalid_is_passed_on(server: Server, room: str) -> None:
    with Peer(server.port, room) as witness, Peer(server.port, room) as sender:
        witness.hashes()
        sender.broadcast([1, 2], HASHES)
        sender.say(diff_with("NaN"))
        assert sender.receive_close() == INVALID
        with Peer(server.port, room) as another:
            another.broadcast([3, 4], HASHES)
            assert [witness.hear_from(who.key, HASHES)[2] for who in (sender, another)] == [[1, 2], [3, 4]]
