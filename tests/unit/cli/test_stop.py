"""Signals that ask to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from textwrap import dedent

import pytest

from durabase.cli.stop import StopSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_in_good_order_and_is_announced_once(number: int) -> None:
    said: list[str] = []

    async def main() -> None:
        stop = StopSignals(lambda: said.append("one"), lambda: said.append("two"))
        stop.on_forced(lambda: said.append("forced"))
        assert not stop.stopped.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.stopped.wait(), 5)
        stop.stop()
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(5):
            await asyncio.sleep(0)

    asyncio.run(main())
    assert said == ["one", "two"]


def test_stopping_without_a_signal() -> None:
    said: list[str] = []

    async def main() -> None:
        stop = StopSignals(lambda: said.append("one"))
        stop.stop()
        stop.stop()
        assert stop.stopped.is_set()

    asyncio.run(main())
    assert said == ["one"]


def test_the_second_ctrl_c_ends_the_process_at_once() -> None:
    program = dedent("""
        import asyncio, os, signal
        from durabase.cli.stop import StopSignals

        async def main():
            stop = StopSignals(lambda: print("stopping", flush=True))
            stop.on_forced(lambda: print("forced", flush=True))
            os.kill(os.getpid(), signal.SIGTERM)
            await stop.stopped.wait()
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

        asyncio.run(main())
    """)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "stopping\nforced\n")
