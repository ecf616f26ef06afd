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
    if fields.has("durable_objects") and table.keys() and not table.has("bindings"):
        fields.error('The field "durable_objects" is missing the required "bindings" property.')
    bindings = [_object_binding(entry, worker_name) for entry in table.tables("bindings")]
    table.warn_unexpected()
    return tuple(binding for binding in bindings if binding is not None)


def _object_binding(entry: Fields, worker_name: str) -> DurableObjectBinding | None:
    name, class_name, script_name = entry.raw("name"), entry.raw("class_name"), entry.raw("script_name")
    wrong = [
        f'binding should have a string "{key}" field.'
        for key, value in (("name", name), ("class_name", class_name))
        if not isinstance(value, str)
    ]
    if not (script_name is None or isinstance(script_name, str)):
        wrong.append('the field "script_name", when present, should be a string.')
    if script_name is None and entry.has("environment"):
        wrong.append('binding should have a "script_name" field if "environment" is present.')
    entry.wrong_entry(*wrong)
    worker = None if wrong else _of_environment(script_name, entry)
    entry.warn_unexpected()
    return (
        None if wrong else DurableObjectBinding(name, class_name, None if worker == worker_name else worker)
    )


def kv_bindings(fields: Fields) -> tuple[KvBinding, ...]:
    """Read ``kv_namespaces``. Without an ``id``, as wrangler allows locally, the binding's name is the id."""
    bindings = [_kv_binding(entry) for entry in fields.tables("kv_namespaces")]
    return tuple(binding for binding in bindings if binding is not None)


def _kv_binding(entry: Fields) -> KvBinding | None:
    name, id = _needed(entry, "binding"), _optional(entry, "id")
    entry.warn_unexpected("preview_id", "remote")
    return None if name is None else KvBinding(name, id or name)


def service_bindings(fields: Fields) -> tuple[ServiceBinding, ...]:
    """Read ``services``."""
    bindings = [_service_binding(entry) for entry in fields.tables("services")]
    return tuple(binding for binding in bindings if binding is not None)


def _service_binding(entry: Fields) -> ServiceBinding | None:
    name, service = _needed(entry, "binding"), _of_environment(_needed(entry, "service"), entry)
    entrypoint, props = _optional(entry, "entrypoint"), entry.mapping("props")
    entry.warn_unexpected("remote")
    if name is None or service is None:
        return None
    return ServiceBinding(name, service, "Default" if entrypoint in (None, "default") else entrypoint, props)


def _of_environment(worker: str | None, entry: Fields) -> str | None:
    """The worker as it is called in the environment that the entry names, if it names one."""
    environment = _optional(entry, "environment")
    return f"{worker}-{environment}" if worker is not None and environment is not None else worker


def _needed(entry: Fields, key: str) -> str | None:
    value = entry.raw(key)
    if isinstance(value, str):
        return value
    entry.wrong_binding(f'a string "{key}" field')
    return None


def _optional(entry: Fields, key: str) -> str | None:
    return _needed(entry, key) if entry.has(key) else None


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
            _refuse(f"{name} assigned to {' and '.join(different)} bindings.", diagnostics)
        elif len(used) > 1:
            _refuse(f"{name} assigned to multiple {different[0]} bindings.", diagnostics)


def _refuse(text: str, diagnostics: Diagnostics) -> None:
    diagnostics.error(
        f"{text}\nBindings must have unique names, so that they can all be referenced in the worker.\n"
        "Please change your bindings to have unique names."
    )
