"""Bindings as they are written: objects, key-value namespaces, services, and names that are used twice."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.workers.config.bindings import (
    check_binding_names,
    kv_bindings,
    object_bindings,
    service_bindings,
)
from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.fields import Fields
from durabase.workers.config.model import DurableObjectBinding, KvBinding, ServiceBinding


def read(table: dict[str, Any]) -> tuple[list[Any], list[str], list[str]]:
    """All bindings, errors and warnings of a table."""
    diagnostics = Diagnostics("Top:")
    fields = Fields(table, "", diagnostics)
    bindings = [*object_bindings(fields, "app"), *kv_bindings(fields), *service_bindings(fields)]
    return bindings, diagnostics.errors, diagnostics.warnings


def objects(**entry: Any) -> dict[str, Any]:
    return {"durable_objects": {"bindings": [entry]}}


@pytest.mark.parametrize(
    ("table", "binding"),
    [
        (objects(name="A", class_name="B"), DurableObjectBinding("A", "B")),
        (objects(name="A", class_name="B", script_name="app"), DurableObjectBinding("A", "B")),
        (objects(name="A", class_name="B", script_name="x"), DurableObjectBinding("A", "B", "x")),
        (
            objects(name="A", class_name="B", script_name="x", environment="e"),
            DurableObjectBinding("A", "B", "x-e"),
        ),
        ({"kv_namespaces": [{"binding": "A"}]}, KvBinding("A", "A")),
        ({"kv_namespaces": [{"binding": "A", "id": ""}]}, KvBinding("A", "A")),
        ({"kv_namespaces": [{"binding": "A", "id": "i", "preview_id": "p"}]}, KvBinding("A", "i")),
        ({"services": [{"binding": "A", "service": "x"}]}, ServiceBinding("A", "x")),
        (
            {"services": [{"binding": "A", "service": "x", "entrypoint": "default", "remote": True}]},
            ServiceBinding("A", "x", "Default"),
        ),
        (
            {"services": [{"binding": "A", "service": "x", "entrypoint": "Admin", "props": {"a": 1}}]},
            ServiceBinding("A", "x", "Admin", {"a": 1}),
        ),
        (
            {"services": [{"binding": "A", "service": "x", "environment": "e"}]},
            ServiceBinding("A", "x-e"),
        ),
    ],
)
def test_bindings(table: dict[str, Any], binding: Any) -> None:
    assert read(table) == ([binding], [], [])


def test_there_need_be_none() -> None:
    assert read({}) == read({"durable_objects": {}, "kv_namespaces": [], "services": None}) == ([], [], [])


@pytest.mark.feature("M-CF-2")
@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (
            {"durable_objects": {"binding": []}},
            'The field "durable_objects" is missing the required "bindings" property.',
        ),
        (
            objects(name=1),
            '"durable_objects.bindings[0]": {"name":1}\n- binding should have a string "name" field.\n'
            '- binding should have a string "class_name" field.',
        ),
        (
            objects(name="A", class_name="B", script_name=5),
            '"durable_objects.bindings[0]": {"name":"A","class_name":"B","script_name":5}\n'
            '- the field "script_name", when present, should be a string.',
        ),
        (
            objects(name="A", class_name="B", environment="e"),
            '"durable_objects.bindings[0]": {"name":"A","class_name":"B","environment":"e"}\n'
            '- binding should have a "script_name" field if "environment" is present.',
        ),
        (
            {"kv_namespaces": [{"id": "x"}]},
            '"kv_namespaces[0]" bindings should have a string "binding" field but got {"id":"x"}.',
        ),
        (
            {"services": [{"binding": "A"}]},
            '"services[0]" bindings should have a string "service" field but got {"binding":"A"}.',
        ),
        (
            {"services": [{"service": "A"}]},
            '"services[0]" bindings should have a string "binding" field but got {"service":"A"}.',
        ),
    ],
)
def test_what_is_no_binding(table: dict[str, Any], complaint: str) -> None:
    bindings, errors, _ = read(table)
    assert (bindings, errors) == ([], [complaint])


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"kv_namespaces": [{"binding": "A", "id": 5}]}, "id"),
        ({"services": [{"binding": "A", "service": "x", "entrypoint": 5}]}, "entrypoint"),
        ({"services": [{"binding": "A", "service": "x", "environment": 5}]}, "environment"),
    ],
)
def test_what_is_wrong_with_the_rest_of_a_binding(table: dict[str, Any], key: str) -> None:
    [error] = read(table)[1]
    assert f'bindings should have a string "{key}" field but got {{"binding":"A"' in error


def test_keys_that_are_not_known_are_warned_of() -> None:
    table = {
        "durable_objects": {"bindings": [{"name": "A", "class_name": "B", "x": 1}], "y": 1},
        "kv_namespaces": [{"binding": "C", "z": 1}],
        "services": [{"binding": "D", "service": "d", "w": 1}],
    }
    assert read(table)[2] == [
        'Unexpected fields found in durable_objects.bindings[0] field: "x"',
        'Unexpected fields found in durable_objects field: "y"',
        'Unexpected fields found in kv_namespaces[0] field: "z"',
        'Unexpected fields found in services[0] field: "w"',
    ]


@pytest.mark.parametrize(
    ("names", "complaints"),
    [
        ({"KV": ["A", "B"], "Service": ["C"]}, []),
        ({"KV": ["A", "A", "A"]}, ["A assigned to multiple KV bindings."]),
        ({"KV": ["A", "A"], "Service": ["A"]}, ["A assigned to KV and Service bindings."]),
        (
            {"KV": ["A", "B"], "Service": ["B", "A"], "Var": ["A"]},
            ["A assigned to KV and Service and Var bindings.", "B assigned to KV and Service bindings."],
        ),
    ],
)
def test_names_that_are_used_twice(names: dict[str, list[str]], complaints: list[str]) -> None:
    diagnostics = Diagnostics("Top:")
    check_binding_names(names, diagnostics)
    assert [error.partition("\n")[0] for error in diagnostics.errors] == complaints
    assert all("Please change your bindings to have unique names." in error for error in diagnostics.errors)
