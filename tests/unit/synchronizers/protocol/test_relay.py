"""Who gets a payload."""

from __future__ import annotations

import pytest

from durabase.synchronizers.protocol.relay import NODE_RULES, OBJECT_RULES, Relay, RelayRules, forwarded


def path_of(rules: RelayRules, *client_ids: str) -> tuple[Relay[object], list[object]]:
    relay: Relay[object] = Relay(rules)
    members = [object() for _ in client_ids]
    for client_id, member in zip(client_ids, members, strict=True):
        relay.join(client_id, member)
    return relay, members


@pytest.mark.parametrize("rules", [NODE_RULES, OBJECT_RULES])
class TestBothKinds:
    def test_everybody_else_in_order_of_joining_and_the_server(self, rules: RelayRules) -> None:
        relay, (a, b, c) = path_of(rules, "A", "B", "C")
        delivery = relay.route(b, "")
        assert (delivery.members, delivery.to_server) == ([a, c], True)

    def test_the_server_only(self, rules: RelayRules) -> None:
        relay, (a, _) = path_of(rules, "A", "B")
        delivery = relay.route(a, "S")
        assert (delivery.members, delivery.to_server) == ([], True)

    def test_one_client(self, rules: RelayRules) -> None:
        relay, (a, b) = path_of(rules, "A", "B")
        delivery = relay.route(a, "B")
        assert (delivery.members, delivery.to_server) == ([b], False)

    def test_nobody_has_that_id(self, rules: RelayRules) -> None:
        relay, (a,) = path_of(rules, "A")
        delivery = relay.route(a, "Z")
        assert (delivery.members, delivery.to_server) == ([], False)

    def test_from_the_server(self, rules: RelayRules) -> None:
        relay, (a, b) = path_of(rules, "A", "B")
        assert relay.route_from_server("") == [a, b]
        assert relay.route_from_server("B") == [b]
        assert relay.route_from_server("Z") == []

    def test_who_left_gets_nothing(self, rules: RelayRules) -> None:
        relay, (a, b) = path_of(rules, "A", "B")
        assert relay.leave(b)
        assert not relay.leave(b)
        assert relay.route(a, "").members == []
        assert relay.route(a, "B").members == []
        assert (relay.client_ids, relay.members, len(relay), relay.client_id(b)) == (["A"], [a], 1, None)


def test_to_oneself_is_delivered_by_node_servers_only() -> None:
    relay, (a, _) = path_of(NODE_RULES, "A", "B")
    assert relay.route(a, "A").members == [a]
    relay, (a, _) = path_of(OBJECT_RULES, "A", "B")
    assert relay.route(a, "A").members == []


def test_node_servers_let_the_newer_connection_take_the_place() -> None:
    relay, (old, b) = path_of(NODE_RULES, "A", "B")
    new = object()
    assert relay.join("A", new) is old
    assert relay.client_ids == ["A", "B"]
    assert relay.route(b, "").members == [new]
    assert relay.route(b, "A").members == [new]
    assert not relay.leave(old)
    assert relay.route(b, "A").members == [new]


def test_objects_keep_both_and_address_the_first() -> None:
    relay, (first, b, second) = path_of(OBJECT_RULES, "A", "B", "A")
    assert relay.route(b, "").members == [first, second]
    assert relay.route(b, "A").members == [first]
    assert relay.route(first, "").members == [b, second]
    relay.leave(first)
    assert relay.route(b, "A").members == [second]
    relay.leave(second)
    assert relay.route(b, "A").members == []


def test_what_is_forwarded_is_the_text_behind_the_senders_id() -> None:
    assert forwarded("A", ["[ 1 ]", "x\ny"]) == ["A\n[ 1 ]", "A\nx\ny"]
