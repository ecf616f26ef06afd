from __future__ import annotations

from typing import Any

import pytest

from durabase.durable_objects.crossing import copied
from durabase.durable_objects.rpc import as_reset, call_method, check_callable_name, remote_error
from durabase.errors import ObjectOverloadedError, ObjectResetError, RemoteError
from durabase.types import UNDEFINED


def test_copies() -> None:
    value = {"a": [1, (2,)], "b": {3}}
    copy = copied(value)
    assert copy == {"a": [1, [2]], "b": {3}}
    assert copy["a"] is not value["a"]
    assert copied(None) is None
    assert copied(UNDEFINED) is UNDEFINED
    with pytest.raises(TypeError, match=r"value\[0\]"):
        copied([object()])


@pytest.mark.parametrize(
    "error",
    [
        TypeError("a"),
        KeyError("k"),
        ValueError("a", 2),
        OSError(2, "missing"),
        RuntimeError(),
        ExceptionGroup("g", [ValueError()]),
    ],
)
def test_builtin_errors_keep_their_type(error: Exception) -> None:
    made: Any = remote_error(error)
    if isinstance(error, ExceptionGroup):
        assert isinstance(made, RemoteError)
    else:
        assert type(made) is type(error)
        assert made is not error
        assert str(made) == str(error)
    assert (made.remote, made.retryable, made.overloaded) == (True, False, False)
    assert made.durable_object_reset is made.durableObjectReset is False


def test_other_errors() -> None:
    class OwnError(Exception): ...

    assert str(remote_error(OwnError("text"))) == "OwnError: text"
    assert str(remote_error(OwnError())) == "OwnError"
    assert str(remote_error(StopIteration(5))) == "StopIteration: 5"
    unicode = remote_error(UnicodeDecodeError("utf-8", b"a", 0, 1, "bad"))
    assert type(unicode) is UnicodeDecodeError
    mixed = remote_error(ValueError("a", object()))
    assert type(mixed) is ValueError


def test_platform_errors_stay_what_they_are() -> None:
    overloaded = ObjectOverloadedError("busy")
    made: Any = remote_error(overloaded)
    assert str(made) == "busy"
    assert made.overloaded
    assert made.remote
    assert made.durableObjectReset is False


def test_errors_that_end_a_life() -> None:
    plain: Any = as_reset(ValueError("a"))
    assert plain.durable_object_reset is plain.durableObjectReset is True
    assert plain.remote is False
    assert isinstance(as_reset(KeyboardInterrupt()), ObjectResetError)


@pytest.mark.feature("M-ST-3")
def test_calling() -> None:
    class Target:
        def method(self, a: int, b: int = 0) -> tuple[int, int]:
            return (a, b)

        with_options = staticmethod(lambda options: options)
        builtin = staticmethod(int)
        field = 5

    target = Target()
    assert call_method(target, "method", (1,), {"b": 2}) == (1, 2)
    assert call_method(target, "with_options", (), {"x": 1}) == {"x": 1}
    assert call_method(target, "builtin", ("7",), {"base": 8}) == 7
    for name in ("field", "missing"):
        with pytest.raises(TypeError, match=f"Method {name} does not exist"):
            call_method(target, name, (), {})
    for name in ("__init__", "fetch", "connect", "dup", "constructor"):
        with pytest.raises(TypeError, match="reserved method"):
            check_callable_name(name)
