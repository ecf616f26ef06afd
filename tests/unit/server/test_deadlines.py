"""Time-outs and pings by one timer each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from durabase.server.deadlines import Deadlines, Heartbeat
from durabase.testing import FakeClock


class Waiter:
    def __init__(self) -> None:
        self.calls = 0
        self.then: Callable[[], None] = lambda: None

    def on_deadline(self) -> None:
        self.calls += 1
        self.then()


def test_a_deadline_is_kept_to_the_second() -> None:
    clock, waiter = FakeClock(), Waiter()
    Deadlines(clock).watch(waiter, 5)
    clock.advance(5_000)
    assert waiter.calls == 0
    clock.advance(1_000)
    assert waiter.calls == 1
    clock.advance(60_000)
    assert waiter.calls == 1


def test_watching_anew_moves_a_deadline() -> None:
    clock, waiter = FakeClock(), Waiter()
    deadlines = Deadlines(clock)
    deadlines.watch(waiter, 3)
    clock.advance(2_500)
    deadlines.watch(waiter, 3)
    clock.advance(2_900)
    assert waiter.calls == 0


def test_who_is_forgotten_is_not_called_and_no_timer_stays() -> None:
    clock, waiter = FakeClock(), Waiter()
    deadlines = Deadlines(clock)
    deadlines.watch(waiter, 1)
    deadlines.forget(waiter)
    clock.advance(10_000)
    assert waiter.calls == 0
    assert not clock.run_next(clock.now_ms() + 10_000)


def test_a_waiter_may_watch_again_when_called() -> None:
    clock, waiter = FakeClock(), Waiter()
    deadlines = Deadlines(clock)
    waiter.then = lambda: deadlines.watch(waiter, 1)
    deadlines.watch(waiter, 1)
    clock.advance(20_000)
    assert waiter.calls == 10


def test_setting_the_clock_times_nobody_out() -> None:
    clock, waiter = FakeClock(), Waiter()
    Deadlines(clock).watch(waiter, 5)
    clock.set_now_ms(clock.now_ms() + 86_400_000)
    clock.advance(4_000)
    assert waiter.calls == 0


class Socket:
    def __init__(self) -> None:
        self.checks = 0

    def check_alive(self) -> None:
        self.checks += 1


def test_each_socket_is_checked_once_per_interval_a_few_per_turn() -> None:
    clock = FakeClock()
    sockets = [Socket() for _ in range(450)]
    later: list[tuple[Any, ...]] = []
    heartbeat = Heartbeat(sockets, 20.0, clock, lambda *call: later.append(call))
    heartbeat.start()
    clock.advance(19_999)
    assert sum(socket.checks for socket in sockets) == 0
    clock.advance(1)
    turns = 1
    while later:
        callback, *arguments = later.pop()
        callback(*arguments)
        turns += 1
    assert turns == 3
    assert [socket.checks for socket in sockets] == [1] * 450
    heartbeat.stop()
    clock.advance(60_000)
    assert sockets[0].checks == 1
