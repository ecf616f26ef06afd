"""Errors that change nothing else."""

from __future__ import annotations

import logging

import pytest

from durabase.sync_server._reports import ErrorReporter


def test_they_are_told_to_the_handler(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Exception] = []
    error = OSError("broken")
    ErrorReporter(told.append).report(error)
    assert told == [error]
    assert caplog.records == []


def test_without_a_handler_they_are_logged_with_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    error = OSError("broken")
    ErrorReporter(None).report(error)
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == (
        "durabase.sync_server",
        logging.WARNING,
        "ignored: broken",
    )
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_a_handler_that_fails_is_logged_with_what_it_was_told(caplog: pytest.LogCaptureFixture) -> None:
    def failing(error: Exception) -> None:
        raise RuntimeError("handler")

    ErrorReporter(failing).report(OSError("broken"))
    (record,) = caplog.records
    assert record.getMessage() == "on_ignored_error failed while it was told of OSError('broken')"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "handler"


def test_functions_of_users_are_called_and_their_errors_reported() -> None:
    told: list[Exception] = []
    calls: list[tuple[int, int]] = []
    reporter = ErrorReporter(told.append)
    reporter.call(lambda a, b: calls.append((a, b)), 1, 2)
    reporter.call(lambda: [][0])
    assert calls == [(1, 2)]
    assert [type(error) for error in told] == [IndexError]


def test_an_interrupt_is_not_kept_back() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ErrorReporter(None).call(interrupted)
