"""The newest major in depth: every kind of thing, fragments, many rows, deletions, offline edits."""

from __future__ import annotations

import json
import time
from typing import Any

from e2e._server import Server
from interop.clients._node import NodeClient, NodeHost

ROWS = 10_000
PATIENCE_SECONDS = 20
"""For requests that take well under a second on a machine that is not busy."""
EVERYTHING: dict[str, Any] = {
    "string": 'naïve 😀 \u2028\u0000\\"',
    "empty": "",
    "integer": 42,
    "fraction": 0.1,
    "tiny": 5e-324,
    "huge": 1.7976931348623157e308,
    "exponent": 1e21,
    "negative": -7,
    "true": True,
    "false": False,
    "null": None,
    "object": {"b": [1, {"c": None}], "a": "x", "10": 1, "9": 2},
    "array": [1, "two", None, [], {}],
}


def pair(node: NodeHost, room: str, name: str) -> tuple[NodeClient, NodeClient]:
    first, second = node.client(f"{name}-1"), node.client(f"{name}-2")
    return first.connect(room), second.connect(room)


def late_client(node: NodeHost, room: str, name: str) -> NodeClient:
    """A client with nothing of its own: what it gets, the object or the others have."""
    return node.client(name).connect(room)


def test_every_kind_of_cell_and_value_goes_through(node: NodeHost, room: str) -> None:
    first, second = pair(node, room, "kinds")
    first.call("setRow", "things", "one", EVERYTHING)
    first.call("setValues", EVERYTHING)

    expected = [{"things": {"one": EVERYTHING}}, EVERYTHING]
    assert node.converge([first, second]) == expected
    first.disconnect()
    second.disconnect()

    late = late_client(node, room, "kinds-late")
    late.wait_for(expected)
    late.wait_for_hashes(first.hashes())


def test_every_kind_of_id_goes_through(node: NodeHost, room: str) -> None:
    ids = [
        "",
        "10",
        "9",
        "-0",
        "a,b",
        'a"b',
        "a\nb",
        "ü",
        "😀",
        "__proto_",
        "constructor",
        "\u0000",
        "t",
        " ",
    ]
    first, second = pair(node, room, "ids")
    first.edit(*[["setCell", id_, id_, id_, index] for index, id_ in enumerate(ids)])
    first.edit(*[["setValue", id_, index] for index, id_ in enumerate(ids)])

    tables, values = node.converge([first, second])
    assert tables == {id_: {id_: {id_: index}} for index, id_ in enumerate(ids)}
    assert values == {id_: index for index, id_ in enumerate(ids)}
    first.disconnect()
    second.disconnect()
    late_client(node, room, "ids-late").wait_for_hashes(first.hashes())


def test_deletions_at_every_level(node: NodeHost, room: str) -> None:
    first, second = pair(node, room, "deletions")
    rows = {"fido": {"age": 1, "species": "dog"}, "felix": {"age": 2}, "nemo": {"age": 3}}
    first.call("setTables", {"pets": rows, "gone": rows})
    first.call("setValues", {"open": True, "closed": False})
    node.converge([first, second])

    second.call("delCell", "pets", "fido", "age")
    first.call("delRow", "pets", "felix")
    second.call("delTable", "gone")
    first.call("delValue", "closed")

    expected = [{"pets": {"fido": {"species": "dog"}, "nemo": {"age": 3}}}, {"open": True}]
    assert node.converge([first, second]) == expected
    first.call("delTables")
    second.call("delValues")
    assert node.converge([first, second]) == [{}, {}]
    late_client(node, room, "deletions-late").wait_for_hashes(first.hashes())


def test_a_deletion_that_was_made_offline_beats_the_older_edit(node: NodeHost, room: str) -> None:
    first, second = pair(node, room, "tombstone")
    first.call("setCell", "pets", "fido", "age", 1)
    node.converge([first, second])
    second.cut()
    first.cut()
    first.call("setCell", "pets", "fido", "age", 2)
    time.sleep(0.01)  # the stamps are made of real clocks
    second.call("delRow", "pets", "fido")

    second.connect(room)
    first.connect(room)

    assert node.converge([first, second]) == [{}, {}]


def test_two_clients_edit_offline_and_merge(node: NodeHost, server: Server) -> None:
    room = f"{server.ws_url}/offline"
    first, second = pair(node, room, "apart")
    first.call("setTable", "species", {"dog": {"price": 5}, "cat": {"price": 4}})
    node.converge([first, second])
    server.kill()

    first.edit(["setCell", "species", "dog", "price", 6], ["setRow", "pets", "a", {"name": "ann"}])
    second.edit(["setCell", "species", "cat", "price", 3], ["setRow", "pets", "b", {"name": "bob"}])
    server.start()
    first.connect(room)
    second.connect(room)

    expected = [
        {
            "species": {"dog": {"price": 6}, "cat": {"price": 3}},
            "pets": {"a": {"name": "ann"}, "b": {"name": "bob"}},
        },
        {},
    ]
    assert node.converge([first, second]) == expected
    first.disconnect()
    second.disconnect()
    late_client(node, room, "apart-late").wait_for(expected)


def test_fragments_both_ways(node: NodeHost, room: str) -> None:
    text = "fragments of 😀 and ü " * 50
    sender = node.client("fragments-1").connect(room, fragment_size=100)
    sender.call("setCell", "notes", "one", "text", text)
    whole = node.client("fragments-2").connect(room)
    assert node.converge([sender, whole]) == [{"notes": {"one": {"text": text}}}, {}]

    whole.call("setCell", "notes", "two", "text", text)
    assert node.converge([sender, whole])[0]["notes"]["two"] == {"text": text}

    sent = [payload for direction, payload in sender.transcript() if direction == ">"]
    assert sum(payload.count("\n") == 4 for payload in sent) > 10
    sender.disconnect()
    whole.disconnect()
    late_client(node, room, "fragments-late").wait_for_hashes(whole.hashes())


def test_a_client_joins_ten_thousand_rows(node: NodeHost, room: str) -> None:
    table = {f"row{index}": {"name": f"name {index}", "price": index} for index in range(ROWS)}
    first, second, late = (node.client(f"rows-{index}") for index in range(3))
    first.connect(room).call("setTable", "pets", table)
    second.connect(room, request_timeout_seconds=PATIENCE_SECONDS).wait_for_hashes(first.hashes())
    first.disconnect()
    second.disconnect()

    late.connect(room, request_timeout_seconds=PATIENCE_SECONDS).wait_for_hashes(first.hashes())
    assert late.call("getRowCount", "pets") == ROWS
    assert late.call("getRow", "pets", "row9999") == {"name": "name 9999", "price": 9999}


def test_the_server_tells_what_it_has_on_disk(node: NodeHost, server: Server) -> None:
    client = node.client("saved").connect(f"{server.ws_url}/saved")
    client.call("setCell", "pets", "fido", "species", "dog")
    client.send('S\n["saved.1",1,""]')
    client.call("setValue", "marker", 1)  # its relay back proves nothing: ask again until the answer is right
    answer = f'S\n["saved.2",0,{json.dumps(client.hashes(), separators=(",", ":"))}]'
    end = time.monotonic() + 20
    while ("<", answer) not in client.transcript():
        assert time.monotonic() < end, client.transcript()
        client.send('S\n["saved.2",1,""]')
        time.sleep(0.02)
    server.kill()

    server.start()
    late_client(node, f"{server.ws_url}/saved", "saved-late").wait_for_hashes(client.hashes())


def test_rooms_know_nothing_of_each_other(node: NodeHost, room: str) -> None:
    inside, beside = node.client("inside").connect(room), node.client("beside").connect(f"{room}/below")
    encoded = node.client("encoded").connect(f"{room}%2Fbelow")
    inside.call("setValue", "secret", 1)
    beside.call("setValue", "other", 2)

    late_client(node, room, "inside-late").wait_for([{}, {"secret": 1}])
    late_client(node, f"{room}/below", "beside-late").wait_for([{}, {"other": 2}])
    assert beside.content() == [{}, {"other": 2}]
    assert encoded.content() == [{}, {}]


def test_a_bad_payload_closes_its_own_socket_only(node: NodeHost, room: str) -> None:
    good, bad = pair(node, room, "bad")
    bad.send("no newline in here")
    assert bad.wait_for_close() == (1007, "tinybase:14")

    good.call("setValue", "still", "here")
    late_client(node, room, "bad-late").wait_for([{}, {"still": "here"}])
    assert "tinybase:14" not in good.errors()
