"""The tree of errors: texts of the original, and the facts that each carries."""

from __future__ import annotations

import pickle

import pytest

from durabase import errors
from durabase.errors import (
    ContentError,
    DurabaseError,
    KeyTooLargeError,
    ObjectError,
    ObjectOverloadedError,
    ObjectResetError,
    RemoteError,
    StoreTypeError,
    ValueTooLargeError,
)


def test_everything_that_is_offered_is_of_the_tree_and_the_tree_is_drawn() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), DurabaseError)
        assert name in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DurabaseError(), ""),
        (DurabaseError("why"), "why"),
        (DurabaseError(code=7), "tinybase:7"),
        (DurabaseError("why", code=0), "tinybase:0:why"),
        (ContentError(), "tinybase:1"),
        (StoreTypeError("why"), "tinybase:0:why"),
    ],
)
def test_texts(error: DurabaseError, text: str) -> None:
    assert str(error) == text
    assert error.args == (error.details,)


def test_a_code_is_of_the_one_error_only() -> None:
    assert DurabaseError(code=7).code == 7
    assert DurabaseError.code is DurabaseError().code is None


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (ObjectError("x"), (False, False, False, False)),
        (ObjectError("x", remote=True, retryable=True), (True, True, False, False)),
        (ObjectResetError("x", remote=True, retryable=True), (True, True, False, True)),
        (ObjectOverloadedError("x"), (False, False, True, False)),
        (RemoteError("x"), (True, False, False, False)),
    ],
)
def test_what_callers_of_objects_may_do(error: ObjectError, facts: tuple[bool, ...]) -> None:
    assert (error.remote, error.retryable, error.overloaded, error.durable_object_reset) == facts
    assert error.durableObjectReset is error.durable_object_reset
    assert str(error) == "x"


def test_alarms_are_tried_again_after_a_reset_unless_that_is_said() -> None:
    assert ObjectResetError().retry_alarm
    assert not ObjectResetError(retry_alarm=False).retry_alarm


def test_what_is_too_large_says_how_large() -> None:
    key, value = KeyTooLargeError("k", 9, 8), ValueTooLargeError("k", 9, 8)
    assert str(key) == "Keys cannot be larger than 8 bytes. A key of size 9 was provided."
    assert str(value) == (
        "Values cannot be larger than 8 bytes. A value of size 9 was provided, for the key 'k': split it, "
        "or raise the limit (max_value_bytes)."
    )
    for error in (key, value):
        assert (error.key, error.size, error.limit) == ("k", 9, 8)


def test_errors_of_the_original_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(ContentError("why", code=5)))  # noqa: S301
    assert (str(error), error.code) == ("tinybase:5:why", 5)
