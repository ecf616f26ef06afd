"""What events are equal in, and the names by which programs know what they are told."""

from __future__ import annotations

from typing import Any

from durabase.durable_objects.events import AlarmInfo, Call, ShutdownInfo


class Loan:
    def destroy(self) -> None: ...


def test_what_handlers_are_told_answers_to_both_spellings() -> None:
    info: Any = AlarmInfo(2, True, 1000)
    assert (info.retryCount, info.isRetry, info.scheduledTime) == (2, True, 1000)
    assert (info.retry_count, info.is_retry, info.scheduled_time) == (2, True, 1000)
    assert ShutdownInfo("stopped").reason == "stopped"


def test_calls_are_equal_whatever_was_lent_with_them_and_however_large_they_are() -> None:
    call = Call("method", (1,), {"k": 2}, [Loan()], 99)
    assert call == Call("method", (1,), {"k": 2})
    assert call != Call("method", (2,), {"k": 2})
    assert call.name == "method"
    assert "Loan" not in repr(call)
