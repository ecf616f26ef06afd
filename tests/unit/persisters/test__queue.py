"""One action at a time, in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durabase.persisters._queue import ActionQueue
from durabase.persisters._steps import Completion, Steps, start_steps


def schedule(queue: ActionQueue, owner: object, *actions: Callable[[], object]) -> Completion[None]:
    def steps(action: Callable[[], object]) -> Steps[None]:
        yield action()

    factories = [lambda action=action: steps(action) for action in actions]
    return start_steps(queue.schedule_steps(owner, *factories))


class Gates:
    """Actions that begin when they are called and end when they are told to."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.open: dict[str, Completion[None]] = {}

    def action(self, name: str) -> Completion[None]:
        self.log.append(f"{name} begins")
        gate: Completion[None] = Completion()
        self.open[name] = gate
        gate.add_done_callback(lambda _: self.log.append(f"{name} ends"))
        return gate


def test_an_idle_queue_acts_in_the_call() -> None:
    log: list[str] = []
    completion = schedule(ActionQueue(), None, lambda: log.append("a"), lambda: log.append("b"))
    assert completion.done()
    assert log == ["a", "b"]


def test_actions_do_not_overlap() -> None:
    queue, gates = ActionQueue(), Gates()
    first = schedule(queue, "x", lambda: gates.action("a"))
    second = schedule(queue, "y", lambda: gates.action("b"))
    assert gates.log == ["a begins"]
    gates.open["a"].set_result(None)
    assert gates.log == ["a begins", "a ends", "b begins"]
    assert not first.done()  # whoever found the queue idle waits until it is idle again
    assert not second.done()
    gates.open["b"].set_result(None)
    assert first.done()
    assert second.done()


def test_what_an_action_schedules_comes_after_it() -> None:
    queue, log = ActionQueue(), []

    def outer() -> None:
        schedule(queue, None, lambda: log.append("inner"))
        log.append("outer")

    assert schedule(queue, None, outer).done()
    assert log == ["outer", "inner"]


def test_dropping_the_waiting_actions_of_one_owner() -> None:
    queue, gates, log = ActionQueue(), Gates(), []
    schedule(queue, "x", lambda: gates.action("a"))
    dropped = schedule(queue, "x", lambda: log.append("dropped"))
    kept = schedule(queue, "y", lambda: log.append("kept"))
    queue.drop("x")
    assert dropped.done()
    assert queue.active_action("x") is not None
    assert queue.active_action("y") is None
    gates.open["a"].set_result(None)
    assert kept.done()
    assert log == ["kept"]
    assert queue.active_action("x") is None


def test_an_interrupt_leaves_the_queue_usable() -> None:
    queue, log = ActionQueue(), []

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        schedule(queue, None, interrupt)
    assert schedule(queue, None, lambda: log.append("next")).done()
    assert log == ["next"]
