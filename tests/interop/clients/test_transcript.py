"""The wire, message by message, as TinyBase's own Durable Object was recorded in workerd on the same edits.

The server and a client talk to each other in several conversations at once, whose order depends on the moment;
within a conversation (all messages of one transaction id) the order is fixed, and so is every byte but the ids.
"""

from __future__ import annotations

import json
import re

from interop.clients._node import NodeClient, NodeHost

NOW = 1_700_000_000_000
FIDO = [66248681, 0]
"""The hashes when fido is a dog."""
TAGGED = [1144961846, 0]
"""The hashes when fido has tags and is no dog any more."""

Conversation = list[str]


def conversations(client: NodeClient) -> list[Conversation]:
    """The client's transcript by transaction, with `T` for its id and `R1`, `R2`, … for requests within it."""
    found: dict[str, Conversation] = {}
    requests: dict[str, str] = {}
    for direction, payload in client.transcript():
        address, remainder = payload.split("\n")
        request_id = json.loads(remainder)[0]
        transaction, _, request = (request_id or "").partition(".")
        conversation = found.setdefault(transaction, [])
        name = "T" if transaction else ""
        if request:
            known = {id_ for id_ in requests if id_.startswith(transaction)}
            name = requests.setdefault(request_id, f"T.R{len(known) + 1}")
        if request_id is not None:
            remainder = remainder.replace(json.dumps(request_id), f'"{name}"', 1)
        conversation.append(f"{direction} {_role(address)} {remainder}")
    return list(found.values())


def _role(address: str) -> str:
    return "client" if re.fullmatch(r"[A-Za-z0-9+/]{22}==", address) else address or "all"


def test_the_first_client_of_an_object(node: NodeHost, room: str) -> None:
    client = node.client("first", unique_id="s1", now=NOW)
    client.call("setCell", "pets", "fido", "species", "dog")

    client.connect(room)
    ask_until_on_disk(client, FIDO)
    client.set_now(NOW + 100)
    client.call("setCell", "pets", "fido", "tags", [1])
    client.set_now(NOW + 101)
    client.call("delCell", "pets", "fido", "species")
    ask_until_on_disk(client, TAGGED)

    hello, *rest = conversations(client)
    print(hello, *rest, sep="\n")
    assert rest == []


def ask_until_on_disk(client: NodeClient, hashes: list[int]) -> None:
    answer = json.dumps(hashes, separators=(",", ":"))
    while ("<", f'S\n["disk.x",0,{answer}]') not in client.transcript():
        client.send('S\n["disk.x",1,""]')
