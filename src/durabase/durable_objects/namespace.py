"""The binding that a worker holds: ids, and stubs for them. Asking for either contacts nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durabase._names import js_names
from durabase.durable_objects.ids import DurableObjectId, IdMint
from durabase.durable_objects.routing import ObjectKey, ObjectRouter
from durabase.durable_objects.stub import DurableObjectStub

__all__ = ["DurableObjectNamespace"]


@js_names
class DurableObjectNamespace:
    """All objects of one class."""

    def __init__(self, router: ObjectRouter, class_name: str, mint: IdMint) -> None:
        self._router = router
        self._class_name = class_name
        self._mint = mint

    def id_from_name(self, name: str) -> DurableObjectId:
        """The id that always belongs to ``name``.

        Raises:
            TypeError: it is no text.
        """
        return self._mint.from_name(name)

    def new_unique_id(
        self, options: Mapping[str, Any] | None = None, *, jurisdiction: str | None = None
    ) -> DurableObjectId:
        """An id that nobody has, perhaps of a ``jurisdiction``.

        Raises:
            TypeError: there is no such jurisdiction.
        """
        chosen = jurisdiction or (options or {}).get("jurisdiction")
        return (self._mint if chosen is None else self._mint.restricted(chosen)).unique()

    def id_from_string(self, text: str) -> DurableObjectId:
        """The id that 64 hexadecimal digits spell; it has no name.

        Raises:
            TypeError: they are none, or were made for another namespace.
        """
        return self._mint.from_string(text)

    def get(
        self, id: DurableObjectId, options: Mapping[str, Any] | None = None, **more: Any
    ) -> DurableObjectStub:
        """A stub for the object with this id. ``location_hint`` is accepted and means nothing here.

        Raises:
            TypeError: no id, or one of another namespace.
            ValueError: an unknown ``routing_mode``.
        """
        if not isinstance(id, DurableObjectId):
            raise TypeError(f"get() takes a DurableObjectId, not {type(id).__name__}")
        chosen = {**(options or {}), **more}
        mode = chosen.get("routingMode", chosen.get("routing_mode", "primary-only"))
        if mode != "primary-only":
            raise ValueError(f"unknown routingMode: {mode}")
        if not self._mint.accepts(id):
            raise TypeError("Durable Object ID is not valid for this namespace.")
        return DurableObjectStub(self._router, ObjectKey(self._class_name, id))

    def get_by_name(
        self, name: str, options: Mapping[str, Any] | None = None, **more: Any
    ) -> DurableObjectStub:
        """A stub for the object with this name."""
        return self.get(self.id_from_name(name), options, **more)

    def jurisdiction(self, jurisdiction: str | None) -> DurableObjectNamespace:
        """The part of the namespace that stays in ``jurisdiction``; ``None``: all of it.

        Raises:
            TypeError: there is no such jurisdiction.
        """
        return DurableObjectNamespace(self._router, self._class_name, self._mint.restricted(jurisdiction))

    def __repr__(self) -> str:
        return f"<DurableObjectNamespace {self._class_name}>"
