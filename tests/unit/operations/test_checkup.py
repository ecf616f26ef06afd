"""What is measured of a machine, judged."""

from __future__ import annotations

import pytest

from durabase.operations.checkup import (
    Finding,
    judge_clock,
    judge_disk,
    judge_files,
    judge_socket,
    judge_space,
    judge_sqlite,
)


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (next(judge_sqlite((3, 40, 1), True)), "ok"),
        (next(judge_sqlite((3, 40, 1), False)), "warn"),
        (next(judge_sqlite((3, 31, 0), True)), "fail"),
        (judge_files(1256, 1000), "ok"),
        (judge_files(1255, 1000), "fail"),
        (judge_disk(0.001), "ok"),
        (judge_disk(0.000_001), "warn"),
        (judge_disk(0.5), "warn"),
        (judge_space(10 << 30), "ok"),
        (judge_space(500 << 20), "warn"),
        (judge_space(1 << 20), "fail"),
        (judge_clock(-1.5), "ok"),
        (judge_clock(-60), "warn"),
        (judge_clock(60), "warn"),
        (judge_socket(101, "pinged"), "ok"),
        (judge_socket(101, "silent"), "warn"),
        (judge_socket(101, "cut"), "fail"),
        (judge_socket(400, None), "fail"),
    ],
)
def test_what_is_not_right_comes_with_what_to_do(finding: Finding, level: str) -> None:
    assert finding.level == level
    assert bool(finding.remedy) == (level != "ok")


def test_the_limit_that_is_needed_is_told() -> None:
    assert "LimitNOFILE=10256" in judge_files(1024, 10_000).remedy
