"""Which times an expression means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from durabase.workers.cron import CronSchedule


def times(expression: str, after: str, count: int = 3) -> list[str]:
    schedule = CronSchedule(expression)
    ms = int(datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp() * 1000)
    found = []
    for _ in range(count):
        following = schedule.next_after(ms)
        assert following is not None
        ms = following
        found.append(datetime.fromtimestamp(ms / 1000, UTC).strftime("%a %Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("* * * * *", ["Wed 2025-01-01 00:01", "Wed 2025-01-01 00:02", "Wed 2025-01-01 00:03"]),
        ("*/30 * * * *", ["Wed 2025-01-01 00:30", "Wed 2025-01-01 01:00", "Wed 2025-01-01 01:30"]),
        ("45 * * * *", ["Wed 2025-01-01 00:45", "Wed 2025-01-01 01:45", "Wed 2025-01-01 02:45"]),
        ("5,10-20/5 0 * * *", ["Wed 2025-01-01 00:05", "Wed 2025-01-01 00:10", "Wed 2025-01-01 00:15"]),
        ("50/5 23 * * *", ["Wed 2025-01-01 23:50", "Wed 2025-01-01 23:55", "Thu 2025-01-02 23:50"]),
        ("0 22-1 * * *", ["Wed 2025-01-01 01:00", "Wed 2025-01-01 22:00", "Wed 2025-01-01 23:00"]),
        ("0 17 * * sun", ["Sun 2025-01-05 17:00", "Sun 2025-01-12 17:00", "Sun 2025-01-19 17:00"]),
        ("0 17 * * 1", ["Sun 2025-01-05 17:00", "Sun 2025-01-12 17:00", "Sun 2025-01-19 17:00"]),
        ("10 7 * * mon-fri", ["Wed 2025-01-01 07:10", "Thu 2025-01-02 07:10", "Fri 2025-01-03 07:10"]),
        ("10 7 * * 7,2", ["Sat 2025-01-04 07:10", "Mon 2025-01-06 07:10", "Sat 2025-01-11 07:10"]),
        ("0 15 1 * ?", ["Wed 2025-01-01 15:00", "Sat 2025-02-01 15:00", "Sat 2025-03-01 15:00"]),
        ("59 23 LW * *", ["Fri 2025-01-31 23:59", "Fri 2025-02-28 23:59", "Mon 2025-03-31 23:59"]),
        ("0 0 L * *", ["Fri 2025-01-31 00:00", "Fri 2025-02-28 00:00", "Mon 2025-03-31 00:00"]),
        ("0 0 L-2 * *", ["Wed 2025-01-29 00:00", "Wed 2025-02-26 00:00", "Sat 2025-03-29 00:00"]),
        ("0 0 15W 2,3,6 *", ["Fri 2025-02-14 00:00", "Fri 2025-03-14 00:00", "Mon 2025-06-16 00:00"]),
        ("0 0 1W FEB,jun *", ["Mon 2025-02-03 00:00", "Mon 2025-06-02 00:00", "Mon 2026-02-02 00:00"]),
        ("0 0 31W * *", ["Fri 2025-01-31 00:00", "Mon 2025-03-31 00:00", "Fri 2025-05-30 00:00"]),
        ("0 18 * * friL", ["Fri 2025-01-31 18:00", "Fri 2025-02-28 18:00", "Fri 2025-03-28 18:00"]),
        ("0 18 * * 6L", ["Fri 2025-01-31 18:00", "Fri 2025-02-28 18:00", "Fri 2025-03-28 18:00"]),
        ("0 0 * * mon#2", ["Mon 2025-01-13 00:00", "Mon 2025-02-10 00:00", "Mon 2025-03-10 00:00"]),
        ("0 0 * 1 L", ["Sat 2025-01-04 00:00", "Sat 2025-01-11 00:00", "Sat 2025-01-18 00:00"]),
        ("0 0 13 * fri", ["Fri 2025-01-03 00:00", "Fri 2025-01-10 00:00", "Mon 2025-01-13 00:00"]),
        ("0 0 29 2 *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00", "Fri 2036-02-29 00:00"]),
    ],
)
def test_times(expression: str, expected: list[str]) -> None:
    assert times(expression, "2025-01-01T00:00:00") == expected


def test_the_time_itself_is_over() -> None:
    assert times("0 0 * * *", "2025-01-01T00:00:00", 1) == ["Thu 2025-01-02 00:00"]
    assert times("0 0 * * *", "2024-12-31T23:59:59.999", 1) == ["Wed 2025-01-01 00:00"]


def test_a_day_that_never_comes() -> None:
    assert CronSchedule("0 0 30 2 *").next_after(0) is None


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("* * * *", r"'\* \* \* \*' is no cron expression: it has 4 fields, not 5"),
        ("60 * * * *", "minute: '60' is not from 0 to 59"),
        ("* 24 * * *", "hour: '24' is not from 0 to 23"),
        ("* * 0 * *", "day of month: '0' is not from 1 to 31"),
        ("* * * may-13 *", "month: '13' is not from 1 to 12"),
        ("* * * * 0", "day of week: '0' is not from 1 to 7"),
        ("*/0 * * * *", "minute: a step is a number from 1, not '0'"),
        ("? * * * *", r"minute: '\?' is not"),
        ("* * * * fri#6", "day of week after #: '6' is not from 1 to 5"),
        ("1, * * * *", "minute: '' is not"),
    ],
)
def test_refused(expression: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        CronSchedule(expression)
