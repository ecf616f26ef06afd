"""Real TinyBase clients of all majors since synchronization came, in one room with our server."""

from __future__ import annotations

from e2e._server import Server
from interop.clients._node import MAJORS, NodeClient, NodeHost


def clients_of_all_majors(node: NodeHost, prefix: str) -> list[NodeClient]:
    return [node.client(f"{prefix}{major}", major) for major in MAJORS]


def test_all_majors_converge_in_one_room(node: NodeHost, room: str) -> None:
    clients = clients_of_all_majors(node, "converge")
    for client in clients:
        client.call("setRow", "pets", client.name, {"species": "dog", "age": 5, "good": True})
        client.connect(room)
    for client in clients:
        client.call("setValue", client.name, 1.5)
        client.call("delCell", "pets", client.name, "age")

    tables, values = node.converge(clients)

    assert tables == {"pets": {client.name: {"species": "dog", "good": True} for client in clients}}
    assert values == {client.name: 1.5 for client in clients}


def test_the_newest_edit_wins_whatever_the_major(node: NodeHost, room: str) -> None:
    clients = [client.connect(room) for client in clients_of_all_majors(node, "newest")]
    for turn, client in enumerate(clients):
        client.call("setCell", "pets", "fido", "age", turn)
        node.converge(clients)

    assert node.converge(clients) == [{"pets": {"fido": {"age": len(clients) - 1}}}, {}]


def test_each_major_gets_everything_from_the_object_after_a_restart(node: NodeHost, server: Server) -> None:
    before = [client.connect(f"{server.ws_url}/kept") for client in clients_of_all_majors(node, "before")]
    for client in before:
        client.call("setCell", "pets", client.name, "species", "cat")
    content = node.converge(before)
    for client in before:
        client.disconnect()
    assert server.stop() == 0

    server.start()
    for late in clients_of_all_majors(node, "after"):
        late.connect(f"{server.ws_url}/kept")
        late.wait_for(content)
        late.disconnect()


def test_offline_edits_of_each_major_merge_when_it_returns(node: NodeHost, room: str) -> None:
    clients = [client.connect(room) for client in clients_of_all_majors(node, "offline")]
    node.converge(clients)
    for client in clients:
        client.cut()
        client.call("setCell", "pets", client.name, "age", 1)
        client.call("setValue", "last", client.name)

    for client in clients:
        client.connect(room)

    tables, values = node.converge(clients)
    assert tables == {"pets": {client.name: {"age": 1} for client in clients}}
    assert values == {"last": clients[-1].name}
