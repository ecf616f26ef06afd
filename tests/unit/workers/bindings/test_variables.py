"""Variables and secrets, whose objects have their members as attributes."""

from __future__ import annotations

from durabase.web import AttributeDict
from durabase.workers.bindings.variables import attributed, variable_bindings
from durabase.workers.config import Config


def test_secrets_override_variables() -> None:
    config = Config("/p/wrangler.toml", "app", "/p/a.py", vars={"A": 1, "B": {"c": 2}}, secrets={"A": "s"})
    found = variable_bindings(config)
    assert found == {"A": "s", "B": {"c": 2}}
    assert found["B"].c == 2


def test_objects_at_any_depth_have_attributes() -> None:
    value = [{"a": [{"b": None}]}, "text"]
    made = attributed(value)
    assert made == value
    assert made[0].a[0].b is None
    assert type(made[0]) is type(made[0].a[0]) is AttributeDict
    assert attributed(1.5) == 1.5
