"""Hybrid logical clocks: order, validity, bounds. Recorded behaviour is tested with the recordings."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from durabase.clock import SystemClock
from durabase.mergeable.hlc import MAX_FUTURE_MS, HybridClock, hlc_upper_bound, is_hlc, is_hlc_text
from durabase.testing import FakeClock

START = 1_700_000_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


def test_the_example_of_the_original(clock: FakeClock) -> None:
    hybrid = HybridClock("s1", clock=clock)
    assert [hybrid.next() for _ in range(3)] == ["NjEtLV-----7JQY8", "NjEtLV----07JQY8", "NjEtLV----17JQY8"]
    clock.set_now_ms(START + 5)
    assert hybrid.next() == "NjEtLV4----7JQY8"


def test_next_is_later_than_all_before_whatever_the_wall_clock_does(clock: FakeClock) -> None:
    hybrid, given = HybridClock("a", clock=clock), [""]
    for step in (0, 0, 5, -1000, 0, 2, 1_000_000, -1):
        clock.set_now_ms(clock.now_ms() + step)
        given.append(hybrid.next())
    assert sorted(set(given)) == given


def test_next_is_later_than_what_was_seen(clock: FakeClock) -> None:
    ours, theirs = HybridClock("a", clock=clock), HybridClock("b", clock=clock)
    ahead = theirs.encode(START + 200_000, 77)
    ours.seen(ahead)
    assert (ours.last_time, ours.last_counter) == (START + 200_000, 77)
    assert ours.next() > ahead


@pytest.mark.parametrize("hlc", ["short", "has space 000000", "é" * 16, None, 5, "NjEtLV-----7JQY8\n"])
def test_seeing_nonsense_changes_nothing(clock: FakeClock, hlc: Any) -> None:
    hybrid = HybridClock("a", clock=clock)
    hybrid.next()
    clock.set_now_ms(START + 1)
    hybrid.seen(hlc)
    assert (hybrid.last_time, hybrid.last_counter) == (START, 0)


def test_what_was_accepted_is_seen_at_the_time_of_that(clock: FakeClock) -> None:
    ours, theirs = HybridClock("a", clock=clock), HybridClock("b", clock=clock)
    ours.upper_bound()
    clock.set_now_ms(START + 5)
    ours.see_accepted("")
    assert ours.last_time == START
    ours.see_accepted(theirs.encode(START + 1, 3))
    assert (ours.last_time, ours.last_counter) == (START + 1, 3)


def test_what_was_accepted_counts_in_any_order(clock: FakeClock) -> None:
    seen = [(START - 1, 7, 0), (START + 2, 3, 1), (START + 2, 1, 2), (START + 1, 9, 2), (START, 5, 3)]
    for order in permutations(seen):
        lazy, eager = HybridClock("a", clock=clock), HybridClock("a", clock=clock)
        for time, counter, later in order:
            clock.set_now_ms(START + later)
            lazy.upper_bound()
            lazy.see_accepted(lazy.encode(time, counter, "b"))
            eager.see(eager.encode(time, counter, "b"))
        assert (lazy.last_time, lazy.last_counter) == (eager.last_time, eager.last_counter)
        assert lazy.next() == eager.next()


def test_five_minutes_ahead_is_the_limit(clock: FakeClock) -> None:
    hybrid = HybridClock("a", clock=clock)
    limit = hybrid.encode(START + MAX_FUTURE_MS, 2**24 - 1)
    beyond = hybrid.encode(START + MAX_FUTURE_MS + 1, 0)
    assert is_hlc(limit, hybrid.upper_bound())
    assert not is_hlc(beyond, hybrid.upper_bound())
    hybrid.seen(beyond)
    assert hybrid.last_time == 0
    hybrid.seen(limit)
    assert hybrid.last_time == START + MAX_FUTURE_MS
    clock.set_now_ms(START + 1)
    assert is_hlc(beyond, hybrid.upper_bound())


def test_bounds_at_the_ends_of_time() -> None:
    latest = HybridClock("a").encode(2**42 - 1, 0)
    assert is_hlc(latest)
    assert is_hlc(latest, hlc_upper_bound(2**42 - 1))
    assert is_hlc(latest, hlc_upper_bound(2**50))
    assert not is_hlc(latest, hlc_upper_bound(2**42 - 2))
    assert is_hlc("-" * 16, hlc_upper_bound(0))
    assert not is_hlc("-" * 16, hlc_upper_bound(-1))
    assert is_hlc("", hlc_upper_bound(-1))


@pytest.mark.parametrize("thing", [None, 0, False, [], b"", "a" * 15, "a" * 17, "٣" * 16, "+" * 16])
def test_what_is_no_hlc(thing: Any) -> None:
    assert not is_hlc(thing)


def test_counter_runs_over_into_the_time(clock: FakeClock) -> None:
    hybrid = HybridClock("a", clock=clock)
    hybrid.seen(hybrid.encode(START, 2**24 - 2))
    assert hybrid.decode(hybrid.next())[:2] == (START, 2**24 - 1)
    assert hybrid.decode(hybrid.next())[:2] == (START + 1, 0)


def test_encode_and_decode(clock: FakeClock) -> None:
    hybrid = HybridClock("s1", clock=clock)
    assert hybrid.decode(hybrid.encode(START, 5)) == (START, 5, "7JQY8")
    assert hybrid.encode(START, 5, "s2")[11:] == HybridClock("s2").client_id == "4JQFF"
    assert hybrid.encode(2**42 + 3, 2**24 + 4) == hybrid.encode(3, 4)
    assert hybrid.encode(-1, -1) == "------z---z7JQY8"  # as in the original
    assert hybrid.decode("é0") == (2**30, 0, "")


def test_left_out_arguments() -> None:
    one, other = HybridClock(), HybridClock()
    assert one.client_id != other.client_id
    assert len(one.client_id) == 5
    assert abs(one.decode(one.next())[0] - SystemClock().now_ms()) < 60_000
    assert HybridClock("").client_id == HybridClock("").client_id


def test_an_hlc_has_sixteen_characters_of_the_alphabet() -> None:
    assert is_hlc_text("Az09_-----------")
    for other in (
        "",
        "-" * 15,
        "-" * 17,
        "-" * 15 + "+",
        "/" + "-" * 15,
        "-" * 15 + "é",
        "-" * 15 + "\ud800",
    ):
        assert not is_hlc_text(other)
        assert not is_hlc_text(other[:-1] + "\0")
