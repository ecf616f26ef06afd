"""Errors that nobody could catch: told to a handler, or logged."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from durabase.persisters import Persister
from durabase.persisters._errors import IgnoredErrors
from durabase.store import Store

from ._places import Place


def test_unset_they_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Persister):
        def get_persisted(self) -> Any:
            raise OSError("broken")

    with caplog.at_level(logging.WARNING, logger="durabase"):
        Broken(Store()).load()
    (record,) = caplog.records
    assert record.getMessage() == "Broken: broken"
    assert record.exc_info is not None


def test_a_handler_that_fails_is_logged_with_the_error(caplog: pytest.LogCaptureFixture) -> None:
    place = Place()

    def handler(error: Exception) -> None:
        raise RuntimeError("handler")

    persister = place.persister(Store())
    persister._ignored_errors.handler = handler
    persister.schedule(lambda: 1 / 0)
    (record,) = caplog.records
    assert "division" in record.getMessage()
    assert record.exc_info is not None


def test_they_are_told_to_the_handler_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Exception] = []
    error = OSError("broken")
    IgnoredErrors("mine", told.append).report(error)
    assert told == [error]
    assert caplog.records == []


def test_a_traceback_that_says_nothing_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    IgnoredErrors("mine", None).report(OSError("broken"), traced=False)
    (record,) = caplog.records
    assert (record.getMessage(), record.exc_info) == ("mine: broken", None)
