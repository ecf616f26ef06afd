"""Which object is meant."""

from __future__ import annotations

from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.routing import ObjectKey


def test_an_object_is_its_class_and_its_id_whatever_name_is_known() -> None:
    id = DurableObjectId(b"k" * 32)
    key = ObjectKey("Room", id)
    named = ObjectKey("Room", DurableObjectId(id.key, "x"))
    others = [ObjectKey("Other", id), ObjectKey("Room", DurableObjectId(b"o" * 32, "x"))]
    assert key == named
    assert {key: 1}[named] == 1
    assert key not in others
