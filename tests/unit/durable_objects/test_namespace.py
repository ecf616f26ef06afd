"""The binding of a class: ids and stubs."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.durable_objects import DurableObjectId, DurableObjectNamespace
from durabase.durable_objects.ids import IdMint
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.test_host import Talking


@pytest.mark.feature("M-NS-1", "M-NS-7", "M-NS-8")
def test_namespaces() -> None:
    async def scenario(rig: Rig) -> None:
        namespace = rig.namespace
        id = namespace.idFromName("x")  # type: ignore[attr-defined]
        stub = namespace.get(id, locationHint="weur")
        assert (stub.id, stub.name) == (id, "x")
        assert namespace.getByName("x").id == id  # type: ignore[attr-defined]
        unique = namespace.newUniqueId({"jurisdiction": "eu"})  # type: ignore[attr-defined]
        assert unique.jurisdiction == "eu"
        assert namespace.id_from_string(str(unique)) == unique
        with pytest.raises(ValueError, match="unknown routingMode: x"):
            namespace.get(id, {"routingMode": "x"})
        with pytest.raises(TypeError, match="takes a DurableObjectId"):
            namespace.get(str(id))  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="not valid for this namespace"):
            namespace.get(DurableObjectId(b"x" * 32))
        part = namespace.jurisdiction("eu")
        assert part.id_from_name("x") != id
        with pytest.raises(TypeError, match="not valid for this namespace"):
            part.get(id)
        assert namespace.get(part.id_from_name("x")).name == "x"
        assert rig.host.stats().live == 0

    run(scenario, Talking)


NAMESPACE: Any = DurableObjectNamespace(None, "Room", IdMint("key"))  # type: ignore[arg-type]


def test_an_id_that_nobody_has() -> None:
    ids = {NAMESPACE.new_unique_id() for _ in range(5)}
    assert len(ids) == 5
    assert {id.name for id in ids} == {None}
    for id in (NAMESPACE.new_unique_id({"jurisdiction": "eu"}), NAMESPACE.newUniqueId(jurisdiction="eu")):
        assert id.jurisdiction == "eu"
        assert NAMESPACE.get(id).id == id
    assert NAMESPACE.new_unique_id({"jurisdiction": None}).jurisdiction is None
    with pytest.raises(TypeError):
        NAMESPACE.new_unique_id({"jurisdiction": "mars"})


@pytest.mark.parametrize("name", [None, 1, b"x"])
def test_a_name_is_a_text(name: Any) -> None:
    for method in (NAMESPACE.id_from_name, NAMESPACE.get_by_name):
        with pytest.raises(TypeError):
            method(name)


@pytest.mark.parametrize("options", [{"routingMode": "primary-only"}, {"locationHint": "weur"}, None])
def test_options_that_are_taken(options: Any) -> None:
    for stub in (NAMESPACE.get_by_name("x", options), NAMESPACE.get_by_name("x", **(options or {}))):
        assert stub.name == "x"


def test_wrong_options_are_refused_however_they_are_given() -> None:
    for given in ({"options": {"routing_mode": "x"}}, {"routing_mode": "x"}, {"routingMode": "x"}):
        with pytest.raises(ValueError, match="unknown routingMode: x"):
            NAMESPACE.get_by_name("x", **given)


def test_a_part_of_it_has_the_same_class_and_all_of_it_again() -> None:
    part = NAMESPACE.jurisdiction("eu")
    assert repr(part) == repr(NAMESPACE) == "<DurableObjectNamespace Room>"
    assert part.jurisdiction(None).id_from_name("x") == NAMESPACE.id_from_name("x")
    assert part.id_from_name("x").jurisdiction == "eu"
    with pytest.raises(TypeError):
        NAMESPACE.jurisdiction("mars")
