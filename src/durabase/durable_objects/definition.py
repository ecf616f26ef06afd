"""What a slot has to know of its object's class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from durabase.durable_objects.gates import OutputGate
from durabase.durable_objects.handlers import HandlerTable
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.storage.kv import DurableObjectStorage, StorageHost, StorageRules
from durabase.durable_objects.storage.store import ObjectStore

__all__ = ["Bindings", "HostedClass", "Opened", "StoreOpener"]

Opened: TypeAlias = tuple[ObjectStore, Callable[[StorageHost], DurableObjectStorage]]


class Bindings(NamedTuple):
    """What the objects of a class get: their ``env``, and ``ctx.exports``."""

    env: Any = None
    exports: Any = None


class StoreOpener(Protocol):
    """Opens what one object of a class keeps."""

    def __call__(
        self, id: DurableObjectId, gate: OutputGate, on_failed: Callable[[Exception], object]
    ) -> Opened:
        """Its store, and how to make ``ctx.storage`` of it."""


@dataclass(slots=True)
class HostedClass:
    """One class as the host has it; replaced in place when the program changes.

    Attributes:
        idle_seconds: how long an object has to be quiet before it sleeps; infinity: it never does.
    """

    name: str
    factory: Callable[[Any, Any], Any]
    bindings: Bindings
    handlers: HandlerTable
    rules: StorageRules
    open_store: StoreOpener
    idle_seconds: float
