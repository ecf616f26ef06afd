"""Reading the bindings of a configuration: Durable Objects, key-value namespaces, services.

The texts are wrangler's. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.fields import Fields
from durabase.workers.config.model import DurableObjectBinding, KvBinding, ServiceBinding

__all__ = ["check_binding_names", "kv_bindings", "object_bindings", "service_bindings"]


def object_bindings(fields: Fields, worker_name: str) -> tuple[DurableObjectBinding, ...]:
    """Read ``durable_objects.bindings`` of the worker of this name."""
    table = fields.table("durable_objects")
    bindings = [_object_binding(entry, worker_name) for entry in table.tables("bindings")]
    table.warn_unexpected()
    return tuple(binding for binding in bindings if binding is not None)


def _object_binding(entry: Fields, worker_name: str) -> DurableObjectBinding | None:
    name, class_name = _needed(entry, "name"), _needed(entry, "class_name")
    script_name = _of_environment(entry.string("script_name"), entry)
    entry.warn_unexpected()
    if name is None or class_name is None:
        return None
    return DurableObjectBinding(name, class_name, None if script_name == worker_name else script_name)


def kv_bindings(fields: Fields) -> tuple[KvBinding, ...]:
    """Read ``kv_namespaces``. Without an ``id``, as wrangler allows locally, the binding's name is the id."""
    bindings = [_kv_binding(entry) for entry in fields.tables("kv_namespaces")]
    return tuple(binding for binding in bindings if binding is not None)


def _kv_binding(entry: Fields) -> KvBinding | None:
    name, id = _needed(entry, "binding"), entry.string("id")
    entry.warn_unexpected("preview_id", "remote")
    return None if name is None else KvBinding(name, id or name)


def service_bindings(fields: Fields) -> tuple[ServiceBinding, ...]:
    """Read ``services``."""
    bindings = [_service_binding(entry) for entry in fields.tables("services")]
    return tuple(binding for binding in bindings if binding is not None)


def _service_binding(entry: Fields) -> ServiceBinding | None:
    name, service = _needed(entry, "binding"), _of_environment(_needed(entry, "service"), entry)
    entrypoint, props = entry.string("entrypoint"), entry.mapping("props")
    entry.warn_unexpected("remote")
    if name is None or service is None:
        return None
    return ServiceBinding(name, service, "Default" if entrypoint in (None, "default") else entrypoint, props)


def _of_environment(worker: str | None, entry: Fields) -> str | None:
    """The worker as it is called in the environment that the entry names, if it names one."""
    environment = entry.string("environment")
    return f"{worker}-{environment}" if worker is not None and environment is not None else worker


def _needed(entry: Fields, key: str) -> str | None:
    value = entry.raw(key)
    if isinstance(value, str):
        return value
    entry.error(f'binding should have a string "{key}" field.')
    return None


def check_binding_names(names: Mapping[str, Sequence[str]], diagnostics: Diagnostics) -> None:
    """Report the names that are used twice.

    Args:
        names: the names by kind of binding.
        diagnostics: told of them.
    """
    kinds: dict[str, list[str]] = {}
    for kind, of_kind in names.items():
        for name in of_kind:
            kinds.setdefault(name, []).append(kind)
    for name, used in kinds.items():
        different = list(dict.fromkeys(used))
        if len(different) > 1:
            diagnostics.error(f"{name} assigned to {' and '.join(different)} bindings.")
        elif len(used) > 1:
            diagnostics.error(f"{name} assigned to multiple {different[0]} bindings.")
