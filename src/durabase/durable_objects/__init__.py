"""Durable Objects: calling them (namespaces, stubs) and hosting them (state, storage, hibernation)."""

from durabase.durable_objects.base import DurableObject, DurableObjectAbort, RpcTarget
from durabase.durable_objects.events import (
    AlarmInfo,
    EventHandled,
    ObjectConstructed,
    ObjectFact,
    ObjectHibernated,
    ObjectObserver,
    ObjectReset,
    ShutdownInfo,
)
from durabase.durable_objects.host import HostStats, ObjectClass, ObjectHost
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.namespace import DurableObjectNamespace
from durabase.durable_objects.routing import ObjectKey, ObjectRouter
from durabase.durable_objects.rpc_promise import RpcPromise
from durabase.durable_objects.rpc_stub import RpcStub
from durabase.durable_objects.state import DurableObjectState
from durabase.durable_objects.storage.kv import DurableObjectStorage
from durabase.durable_objects.stub import DurableObjectStub

__all__ = [
    "AlarmInfo",
    "DurableObject",
    "DurableObjectAbort",
    "DurableObjectId",
    "DurableObjectNamespace",
    "DurableObjectState",
    "DurableObjectStorage",
    "DurableObjectStub",
    "EventHandled",
    "HostStats",
    "ObjectClass",
    "ObjectConstructed",
    "ObjectFact",
    "ObjectHibernated",
    "ObjectHost",
    "ObjectKey",
    "ObjectLimits",
    "ObjectObserver",
    "ObjectReset",
    "ObjectRouter",
    "RpcPromise",
    "RpcStub",
    "RpcTarget",
    "ShutdownInfo",
]
