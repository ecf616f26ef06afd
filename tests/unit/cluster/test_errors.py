"""Exceptions on their way between processes."""

from __future__ import annotations

import pytest

from durabase.cluster.errors import error_form, error_from, lost_error
from durabase.durable_objects.rpc import remote_error
from durabase.errors import KeyTooLargeError, ObjectOverloadedError, RemoteError
from durabase.web.structured_clone import decode_value, encode_value


def crossed(error: BaseException) -> Exception:
    return error_from(decode_value(encode_value(error_form(error))))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a", 1),
        KeyError("k"),
        OSError(2, "gone"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
        ObjectOverloadedError("too much"),
        KeyTooLargeError("k", 9, 4),
        lost_error(),
    ],
)
def test_type_arguments_and_marks_are_kept(error: Exception) -> None:
    marked = remote_error(error)
    made = crossed(marked)
    assert type(made) is type(marked)
    assert made.args == marked.args
    assert str(made) == str(marked)
    for mark in ("remote", "retryable", "overloaded", "durable_object_reset"):
        assert getattr(made, mark) == getattr(marked, mark)


def test_others_arrive_as_remote_errors_with_their_text() -> None:
    class OddError(Exception):
        pass

    assert isinstance(crossed(OddError("odd")), RemoteError)
    assert str(crossed(OddError("odd"))) == "odd"
    assert isinstance(crossed(SystemExit(3)), RemoteError)
    unsendable = crossed(ValueError(object()))
    assert type(unsendable) is ValueError
    assert str(unsendable).startswith("<object object at ")
    group = crossed(ExceptionGroup("several", [ValueError()]))
    assert isinstance(group, RemoteError)
    assert str(group) == "several (1 sub-exception)"
