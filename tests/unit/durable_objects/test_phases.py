"""The table itself: what it promises about the life of an object."""

from __future__ import annotations

from durabase.durable_objects.phases import TRANSITIONS, Phase, Signal


def test_every_phase_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS.values()) == set(Phase)
    assert {source for source, _ in TRANSITIONS} == set(Phase)


def test_a_life_begins_only_from_nothing_and_every_other_phase_can_break() -> None:
    assert [source for (source, _), target in TRANSITIONS.items() if target is Phase.STARTING] == [
        Phase.EMPTY
    ]
    for phase in set(Phase) - {Phase.EMPTY, Phase.BROKEN}:
        assert TRANSITIONS[phase, Signal.BROKE] is Phase.BROKEN


def test_sleep_comes_from_rest_alone() -> None:
    assert (Phase.STARTING, Signal.IDLE) not in TRANSITIONS
    assert TRANSITIONS[Phase.QUIET, Signal.IDLE] is Phase.DRAINING
    assert TRANSITIONS[Phase.DRAINING, Signal.FOLDED] is Phase.EMPTY
