"""The event that code belongs to."""

from __future__ import annotations

from contextvars import ContextVar, copy_context

from durabase.durable_objects.origin import Origin, current_origin, labelled

OTHER: ContextVar[str] = ContextVar("OTHER", default="")


def test_a_labelled_context_is_a_copy_with_the_event() -> None:
    context = copy_context()
    context.run(OTHER.set, "kept")
    origin = Origin("Room", None, "fetch")
    own = labelled(context, origin)
    assert (own.run(current_origin.get), own.run(OTHER.get)) == (origin, "kept")
    own.run(OTHER.set, "changed")
    assert (context.run(current_origin.get), context.run(OTHER.get)) == (None, "kept")
    assert current_origin.get() is None
