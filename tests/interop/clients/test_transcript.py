"""The wire, message by message, as TinyBase's own Durable Object was recorded in workerd on the same edits.

There are several conversations at once, whose order depends on the moment. A conversation is the messages of
one transaction id with the server, or with another client: in it all is fixed, and every byte but the ids.
"""

from __future__ import annotations

import json
import re
import time

from interop.clients._node import NodeClient, NodeHost

NOW = 1_700_000_000_000

Conversation = list[str]


def conversations(client: NodeClient) -> list[Conversation]:
    """The client's transcript by transaction: `T` stands for its id, `R1`, `R2`, … for requests within it."""
    found: dict[tuple[str, bool], Conversation] = {}
    requests: dict[str, str] = {}
    for direction, payload in client.transcript():
        address, remainder = payload.split("\n")
        request_id = json.loads(remainder)[0]
        transaction, _, request = (request_id or "").partition(".")
        role = _role(address)
        conversation = found.setdefault((transaction, role == "client"), [])
        name = "T" if transaction else ""
        if request:
            known = {id_ for id_ in requests if id_.startswith(transaction)}
            name = requests.setdefault(request_id, f"T.R{len(known) + 1}")
        if request_id is not None:
            remainder = remainder.replace(json.dumps(request_id), f'"{name}"', 1)
        conversation.append(f"{direction} {role} {remainder}")
    return sorted(found.values())


def _role(address: str) -> str:
    return "client" if re.fullmatch(r"[A-Za-z0-9+/]{22}==", address) else address or "all"


def wait_for_messages(client: NodeClient, count: int) -> None:
    end = time.monotonic() + 20
    while len(client.transcript()) < count:
        assert time.monotonic() < end, client.transcript()
        time.sleep(0.01)


def test_an_object_from_its_first_client_on(node: NodeHost, room: str) -> None:
    first = node.client("first", unique_id="s1", now=NOW)
    first.call("setCell", "pets", "fido", "species", "dog")
    first.connect(room, start=False)
    wait_for_messages(first, 2)
    first.start()
    wait_for_messages(first, 10)
    first.set_now(NOW + 100)
    first.call("setCell", "pets", "fido", "tags", [1])
    first.set_now(NOW + 101)
    first.call("delCell", "pets", "fido", "species")
    second = node.client("second").connect(room, start=False)
    wait_for_messages(second, 1)
    second.start()
    second.wait_for_hashes(first.hashes())
    wait_for_messages(second, 7)
    wait_for_messages(first, 15)

    assert conversations(first) == sorted(
        [
            ['< S [null,1,""]'],
            ['< S ["T.R1",1,""]'],
            [
                '> all ["T.R1",1,""]',
                '< S ["T.R1",0,[0,0]]',
                '> S ["T.R2",4,{"pets":3312541386}]',
                '< S ["T.R2",0,[[{}],{}]]',
            ],
            [
                '> all ["T",2,[66248681,0]]',
                '< S ["T.R1",4,{}]',
                '> S ["T.R1",0,[[{"pets":[{"fido":[{"species":["dog","NjEtLV-----7JQY8"]}]}]}],{}]]',
            ],
            ['< S ["T",2,[66248681,0]]'],
            ['> all ["T",3,[[{"pets":[{"fido":[{"tags":["\ufffd[1]","NjEtLWZ----7JQY8"]}]}]}],[{}],1]]'],
            ['> all ["T",3,[[{"pets":[{"fido":[{"species":["\ufffc","NjEtLW_----7JQY8"]}]}]}],[{}],1]]'],
            ['< client ["T.R1",1,""]', '> client ["T.R1",0,[3961307495,0]]'],
            ['< client ["T",2,[3961307495,0]]'],
        ]
    )
    assert conversations(second) == sorted(
        [
            ['< S [null,1,""]'],
            [
                '> all ["T.R1",1,""]',
                '< S ["T.R1",0,[3961307495,0]]',
                '> S ["T.R2",4,{}]',
                '< S ["T.R2",0,[[{"pets":[{"fido":[{"species":["\ufffc","NjEtLW_----7JQY8"],'
                '"tags":["\ufffd[1]","NjEtLWZ----7JQY8"]}]}]}],{}]]',
            ],
            ['< client ["T.R1",0,[3961307495,0]]'],
            ['> all ["T",2,[3961307495,0]]'],
        ]
    )
    assert first.errors() == second.errors() == []


def test_fragments_are_passed_on_as_they_came(node: NodeHost, room: str) -> None:
    receiver = node.client("whole").connect(room)
    sender = node.client("cut", unique_id="s1", now=NOW).connect(room, fragment_size=40)
    node.converge([sender, receiver])
    sender.call("setValue", "note", "a note that is long enough 😀😀 to be cut")
    node.converge([sender, receiver])

    sent = [payload.partition("\n")[2] for direction, payload in sender.transcript() if direction == ">"]
    received = [
        payload.partition("\n")[2] for direction, payload in receiver.transcript() if direction == "<"
    ]
    fragments = [remainder for remainder in sent if remainder.count("\n") == 3]
    assert fragments == [remainder for remainder in received if remainder.count("\n") == 3]
    *headers, texts = zip(*(fragment.split("\n") for fragment in fragments), strict=True)
    assert headers[1:] == [("0", "1", "2"), ("3", "3", "3")]
    assert len(set(headers[0])) == 1
    _, number, body = json.loads("".join(texts))
    assert number == 3
    assert body == [
        [{}],
        [{"note": ["a note that is long enough 😀😀 to be cut", "NjEtLV-----7JQY8"]}],
        1,
    ]
