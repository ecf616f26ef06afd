"""Content that is odd, but that JavaScript takes: it is merged, passed on as it came, and stored."""

from __future__ import annotations

import json

import pytest

from durabase import MergeableStore
from durabase.synchronizers.protocol.messages import parse_message
from e2e._server import Server
from hostile._peer import DIFF, Peer, now

THINGS = {
    "-0": "-0",
    "-0.0": "-0.0",
    "1.0": "1.0",
    "an exponent": "1E2",
    "a subnormal": "5e-324",
    "beyond 2^53": "9007199254740993",
    "300 digits": "1" * 300,
    "many digits after the point": "0." + "1" * 1000,
    "half a surrogate pair": '"\\ud800"',
    "two halves the wrong way round": '"\\udc00\\ud800"',
    "a pair": '"\\ud83d\\ude00"',
    "NUL": '"\\u0000"',
    "separators of lines": '"\u2028\u2029\u0085"',
    "an escaped mark of undefined": '"\\uFFFC"',
    "a mark of undefined": '"\ufffc"',
    "an encoded array": '"\ufffd[1,2]"',
    "an encoded object": '"\ufffd{\\"a\\":1}"',
    "encoded, but no JSON": '"\ufffd{no"',
    "encoded nothing": '"\ufffd"',
    "an array": "[1,[2]]",
    "an object": '{"a":{"b":null}}',
    "an array with undefined": '["\ufffc",1]',
    "a deep array": "[" * 245 + '"\ufffc"' + "]" * 245,
    "null": "null",
    "an empty string": '""',
    "a long string": '"' + "\u00e9" * 60_000 + '"',
    "twice": '1,"t"],"thing":[2',
}
IDS = [
    "__proto__",
    "constructor",
    "",
    "0",
    "-1",
    "\\ud800",
    "\\u0000",
    '\\"',
    "\\\\",
    "\u00e9\\ud83d\\ude00",
    ",",
]


def diff(thing: str, time: str) -> str:
    return f'["x",3,[[{{}}],[{{"thing":[{thing},"{time}"]}}],1]]'


def merged(*remainders: str) -> MergeableStore:
    """A store of our own that has merged these messages."""
    store = MergeableStore()
    for remainder in remainders:
        store._apply_encoded_mergeable_changes(parse_message(remainder).body)
    return store


@pytest.mark.parametrize("thing", THINGS.values(), ids=THINGS.keys())
def test_a_thing_is_merged_and_passed_on_as_it_came(server: Server, room: str, thing: str) -> None:
    remainder = diff(thing, now())
    with Peer(server.port, room) as witness, Peer(server.port, room) as sender:
        witness.hashes()
        sender.say(f"\n{remainder}")
        assert sender.hashes() == merged(remainder).get_mergeable_content_hashes()
        while (payload := witness.receive_text()) != f"{sender.key}\n{remainder}":
            assert not payload.startswith(sender.key), payload
        assert "thing" in witness.values()


def test_everything_odd_is_there_after_a_kill(own_server: Server, room: str) -> None:
    remainders = []
    for number, thing in enumerate(THINGS.values()):
        remainders.append(diff(thing, now()).replace('"thing"', f'"thing{number}"'))
    for name in IDS:
        cell = f'[{{"{name}":[{{"{name}":[{{"{name}":["{name}","{now()}"]}}]}}]}}]'
        value = f'[{{"{name}":[1,"{now()}"]}}]'
        remainders.append(f'["{name}",3,[{cell},{value},1]]')
    with Peer(own_server.port, room) as peer:
        for remainder in remainders:
            peer.say(f"\n{remainder}")
        before = (peer.hashes(), peer.tables(), peer.values())
    assert before[0] == merged(*remainders).get_mergeable_content_hashes()
    assert (len(before[1]), len(before[2])) == (len(IDS), len(THINGS) + len(IDS))
    own_server.kill()
    own_server.start()
    with Peer(own_server.port, room) as peer:
        assert (peer.hashes(), peer.tables(), peer.values()) == before


def test_numbers_compare_as_javascript_compares_them(server: Server, room: str) -> None:
    with Peer(server.port, room) as peer:
        for question in ('["a.1",1.0,""]', '["a.2",1e0,""]', '["a.3",10e-1,""]'):
            peer.say(f"S\n{question}")
            while peer.hear()[1][:2] != [json.loads(question)[0], 0]:
                pass
        peer.say('S\n["b",2,[0.0,-0]]')
        peer.say('S\n["b",2,[0e9,4294967295.0]]')
        peer.say(f'\n["c",3.0,[[{{}}],[{{"a":[1,"{now()}"]}}],1.0]]')
        peer.say(f'\n["c",3,[[{{}}],[{{"b":[1,"{now()}"]}}]]]')
        peer.say(f'\n["c",3,[[{{}},""],[{{"c":[1,""],"d":[1]}},"{now()}"]]]')
        assert peer.values().keys() == {"a", "b", "c", "d"}


def test_of_keys_that_come_twice_the_last_counts(server: Server, room: str) -> None:
    time = now()
    with Peer(server.port, room) as peer:
        peer.say(f'\n["x",3,[[{{}}],[{{"a":[1,"{time}"],"b":[1,"{time}"],"a":[2,"{time}"]}}],1]]')
        assert peer.values() == {"a": [2, time], "b": [1, time]}


def test_space_around_tokens_is_kept(server: Server, room: str) -> None:
    remainder = f' [ "x" ,\t3\r\n, [ [ {{ }} ] , [ {{ "a" : [ 1 , "{now()}" ] }} ] ] ] '
    with Peer(server.port, room) as witness, Peer(server.port, room) as sender:
        witness.hashes()
        sender.say(f"\n{remainder}")
        assert witness.hear_from(sender.key, DIFF)[0] == "x"
        assert sender.values().keys() == {"a"}
