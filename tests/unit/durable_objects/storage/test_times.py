"""Times that programs give, for alarms and otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from durabase.durable_objects.storage.times import LAST_ALARM_MS, alarm_ms, time_ms
from durabase.errors import AlarmError

MOMENT = datetime(2030, 1, 1, 0, 0, 0, 123_000, UTC)
MOMENT_MS = 1_893_456_000_123


@pytest.mark.parametrize("convert", [time_ms, alarm_ms])
@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        (1000, 1000),
        (1000.9, 1000),
        (MOMENT, MOMENT_MS),
        (MOMENT.astimezone(timezone(timedelta(hours=5))), MOMENT_MS),
    ],
)
def test_milliseconds_and_datetimes(convert: object, time: object, milliseconds: int) -> None:
    assert callable(convert)
    found = convert(time)
    assert (found, type(found)) == (milliseconds, int)


def test_a_time_may_be_any() -> None:
    assert [time_ms(0), time_ms(-1.5), time_ms(10**15)] == [0, -1, 10**15]


@pytest.mark.parametrize("time", [True, "1000", None, float("nan"), float("inf")])
def test_what_is_no_time(time: object) -> None:
    with pytest.raises(TypeError, match=f"^a time is milliseconds or a datetime, not {time!r}$"):
        time_ms(time)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (True, "setAlarm() takes milliseconds or a datetime, not bool"),
        ("1000", "setAlarm() takes milliseconds or a datetime, not str"),
        (None, "setAlarm() takes milliseconds or a datetime, not NoneType"),
        (float("nan"), "The value cannot be converted because it is not a valid Date."),
        (0, "setAlarm() cannot be called with an alarm time <= 0"),
        (datetime(1969, 1, 1, tzinfo=UTC), "setAlarm() cannot be called with an alarm time <= 0"),
        (float("inf"), "The value cannot be converted because it is not a valid Date."),
        (LAST_ALARM_MS + 1, "This API doesn't support dates after 2189."),
        (datetime(2263, 1, 1, tzinfo=UTC), "This API doesn't support dates after 2189."),
    ],
)
def test_what_is_no_time_for_an_alarm(time: object, text: str) -> None:
    with pytest.raises(AlarmError) as caught:
        alarm_ms(time)
    assert str(caught.value) == text


def test_the_first_and_the_last_alarm() -> None:
    assert alarm_ms(1) == 1
    assert alarm_ms(LAST_ALARM_MS) == LAST_ALARM_MS == 9_223_372_036_854
