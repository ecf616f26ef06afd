from __future__ import annotations

import pytest

from durabase.workers.env import Env, ambient_env, env, patch_env


def test_bindings_are_attributes() -> None:
    bound = Env({"A": 1}, {"DB": "d1 is not supported"})
    assert bound.A == 1
    assert hasattr(bound, "A")
    assert not hasattr(bound, "B")
    assert dir(bound) == ["A"]
    with pytest.raises(AttributeError, match="env has no binding 'B'; it has: A"):
        _ = bound.B
    with pytest.raises(AttributeError, match=r"env\.DB: d1 is not supported"):
        _ = bound.DB


def test_bindings_can_be_replaced_for_all_who_hold_it() -> None:
    bound = Env({"A": 1})
    Env.replace(bound, Env({"B": 2}))
    assert dir(bound) == ["B"]


def test_the_ambient_env() -> None:
    with pytest.raises(RuntimeError, match="no worker is running"):
        _ = env.A
    token = ambient_env.set(Env({"A": 1}))
    try:
        assert env.A == 1
        assert dir(env) == ["A"]
        with patch_env({"A": 2}, B=3):
            assert (env.A, env.B) == (2, 3)
        assert env.A == 1
        assert not hasattr(env, "B")
    finally:
        ambient_env.reset(token)
