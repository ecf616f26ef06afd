from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durabase.durable_objects.gates import InputGate, OutputGate, Section, WriteGates


def keeping(log: list[str], what: str) -> Callable[[], object]:
    return lambda: log.append(what)


def test_an_open_gate_holds_nothing() -> None:
    gate, log = OutputGate(), list[str]()
    gate.hold(keeping(log, "a"))
    gate.hold_for_all(keeping(log, "b"))
    assert log == ["a", "b"]
    assert gate.is_settled


def test_each_message_waits_for_the_writes_before_it_only() -> None:
    gate, log = OutputGate(), list[str]()
    gate.wrote()
    gate.hold(keeping(log, "after 1"))
    gate.wrote()
    gate.hold(keeping(log, "after 2"))
    assert not gate.is_open
    gate.safe(1)
    assert log == ["after 1"]
    assert not gate.is_open
    gate.safe(2)
    assert log == ["after 1", "after 2"]
    assert gate.is_open


def test_unconfirmed_writes_are_waited_for_by_sync_alone() -> None:
    gate, log = OutputGate(), list[str]()
    gate.wrote(confirmed=False)
    gate.hold(keeping(log, "message"))
    gate.hold_for_all(keeping(log, "sync"))
    assert log == ["message"]
    assert not gate.is_settled
    gate.safe(1)
    assert log == ["message", "sync"]


def test_whoever_commits_is_told_when_anything_waits() -> None:
    class Committer:
        def hurry(self) -> None:
            log.append("hurry")

    gate, log = OutputGate(), list[str]()
    gate.committer = Committer()
    gate.hold(keeping(log, "open"))
    gate.wrote(confirmed=False)
    gate.hold(keeping(log, "unconfirmed"))
    assert log == ["open", "unconfirmed"]
    gate.hold_for_all(keeping(log, "sync"))
    gate.wrote()
    assert log[2:] == ["hurry"]
    gate.hold(keeping(log, "message"))
    assert log[2:] == ["hurry", "hurry"]
    gate.safe(2)
    assert log[4:] == ["message", "sync"]


def test_what_is_sent_while_held_messages_leave_comes_after_them() -> None:
    gate, log = OutputGate(), list[str]()
    gate.wrote()

    def first() -> None:
        log.append("first")
        gate.hold(keeping(log, "third"))

    gate.hold(first)
    gate.hold(keeping(log, "second"))
    gate.safe(1)
    assert log == ["first", "second", "third"]


def test_a_write_made_while_held_messages_leave_closes_the_gate_again() -> None:
    gate, log = OutputGate(), list[str]()
    gate.wrote()
    gate.hold(gate.wrote)
    gate.safe(1)
    assert not gate.is_open
    gate.hold(keeping(log, "later"))
    assert log == []
    gate.safe(2)
    assert log == ["later"]


def test_a_broken_gate_never_opens() -> None:
    gate, log = OutputGate(), list[str]()
    gate.wrote()
    gate.hold(keeping(log, "held"))
    gate.fail()
    gate.hold(keeping(log, "after"))
    gate.hold_for_all(keeping(log, "sync"))
    gate.safe(5)
    assert log == []
    assert not gate.is_open


def test_writes_of_two_stores_are_safe_when_both_say_so() -> None:
    gate, log = OutputGate(), list[str]()
    gates = WriteGates(gate)
    one, other = gates.part(), gates.part()
    one.wrote()
    other.wrote()
    one.wrote()
    gate.hold(keeping(log, "message"))
    one.safe(one.written)
    assert log == []
    other.safe(other.written)
    assert log == ["message"]
    other.wrote()
    other.safe(other.written)
    assert gate.is_settled


class Input:
    """An input gate whose loop is worked by hand."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.soon: list[Callable[[], object]] = []
        self.gate = InputGate(keeping(self.log, "opened"), self.soon.append)

    def section(self, name: str, parent: Section | None = None) -> Section:
        return Section(parent, keeping(self.log, name))

    def turn(self) -> None:
        soon, self.soon[:] = list(self.soon), []
        for call in soon:
            call()


def test_sections_run_one_after_the_other() -> None:
    rig = Input()
    first, second = rig.section("first"), rig.section("second")
    rig.gate.enter(first)
    rig.gate.enter(second)
    assert rig.log == ["first"]
    assert not rig.gate.is_open
    assert rig.gate.admits(first)
    assert not rig.gate.admits(None)
    rig.gate.leave(first)
    assert not rig.gate.is_open
    rig.turn()
    assert rig.log == ["first", "second"]
    rig.gate.leave(second)
    rig.turn()
    assert rig.log == ["first", "second", "opened"]
    assert rig.gate.is_open


def test_a_section_within_the_one_that_runs_starts_at_once_and_holds_it() -> None:
    rig = Input()
    outer = rig.section("outer")
    inner = rig.section("inner", outer)
    rig.gate.enter(outer)
    rig.gate.enter(rig.section("waits"))
    rig.gate.enter(inner)
    assert rig.log == ["outer", "inner"]
    assert not rig.gate.admits(outer)
    admitted: list[Any] = []
    rig.gate.when_admitted(lambda: admitted.append(rig.gate.admits(outer)), "a test")
    rig.gate.leave(inner)
    rig.turn()
    assert admitted == [True]
    rig.gate.leave(outer)
    rig.turn()
    assert rig.log == ["outer", "inner", "waits"]


def test_one_that_comes_between_two_does_not_jump_the_queue() -> None:
    rig = Input()
    first = rig.section("first")
    rig.gate.enter(first)
    rig.gate.enter(rig.section("second"))
    rig.gate.leave(first)
    rig.gate.enter(rig.section("third"))
    rig.turn()
    assert rig.log == ["first", "second"]


def test_nesting_has_a_limit() -> None:
    rig = Input()
    section: Section | None = None
    for _ in range(64):
        section = rig.section("x", section)
        rig.gate.enter(section)
    with pytest.raises(RuntimeError, match="nested too deeply"):
        rig.gate.enter(rig.section("x", section))
