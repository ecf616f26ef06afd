"""Key-value namespaces: ``env.FOO.get``, ``put``, ``delete``, ``list``, as in Workers KV."""

from durabase.workers.bindings.kv.namespace import KvNamespace
from durabase.workers.bindings.kv.store import KvStores

__all__ = ["KvNamespace", "KvStores"]
