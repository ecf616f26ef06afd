"""What is measured of objects, workers and the process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durabase.durable_objects import (
    AlarmInfo,
    DurableObject,
    EventHandled,
    ObjectClass,
    ObjectConstructed,
    ObjectHibernated,
    ObjectHost,
    ObjectLimits,
    ObjectReset,
)
from durabase.durable_objects.events import Alarm, Call, Read, Served
from durabase.durable_objects.ids import DurableObjectId
from durabase.errors import ObjectOverloadedError, ObjectResetError
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock
from durabase.web import Request, Response, WebSocketPair, WebSocketRequestResponsePair
from durabase.workers.facts import EntrypointHandled, LoopHeldUp, RuntimeFact

ID = DurableObjectId(bytes(32), "lobby")
ROOM = 'worker="app",class="Room"'


@pytest.mark.feature("S-OB-3")
@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (
            EventHandled("Room", ID, "visit", 30, None, 0, Call("visit", (), {})),
            'durabase_events_total{worker="app",class="Room",event="rpc",outcome="ok"} 1',
        ),
        (
            EventHandled("Room", ID, "reply", 30, None, 0, Served(print, print, "reply")),
            'durabase_events_total{worker="app",class="Room",event="rpc",outcome="ok"} 1',
        ),
        (
            EventHandled("Room", ID, "name", 30, None, 0, Read("name")),
            'durabase_events_total{worker="app",class="Room",event="rpc",outcome="ok"} 1',
        ),
        (
            EventHandled("other:Room", ID, "alarm", 30, ValueError()),
            'durabase_events_total{worker="other",class="Room",event="alarm",outcome="exception"} 1',
        ),
        (
            EventHandled("Room", ID, "fetch", 30, None, cpu_milliseconds=2.5),
            'durabase_event_cpu_seconds_total{worker="app",class="Room",event="fetch"} 0.0025',
        ),
        (
            LoopHeldUp("Room", "fetch", 1.5, "the stack"),
            f"durabase_event_loop_held_up_total{{{ROOM}}} 1",
        ),
        (
            EventHandled("Room", ID, "fetch", 30, None),
            f'durabase_event_seconds_bucket{{{ROOM},event="fetch",le="0.05"}} 1',
        ),
        (
            EntrypointHandled("app", "Default", "fetch", 30, 0, None, None, 200),
            'durabase_events_total{worker="app",class="Default",event="fetch",outcome="ok"} 1',
        ),
        (
            EventHandled("Room", ID, "alarm", 0, None, 2500, Alarm(AlarmInfo(0, False, 500), 1)),
            f"durabase_alarm_lateness_seconds_sum{{{ROOM}}} 2",
        ),
        (ObjectConstructed("Room", ID, 5), f"durabase_objects_constructed_total{{{ROOM}}} 1"),
        (
            ObjectConstructed("Room", ID, 5),
            f'durabase_object_construction_seconds_bucket{{{ROOM},le="0.005"}} 1',
        ),
        (ObjectHibernated("Room", ID, 2), f"durabase_objects_hibernated_total{{{ROOM}}} 1"),
        (
            ObjectReset("Room", ID, ObjectResetError("why")),
            f'durabase_objects_reset_total{{{ROOM},error="ObjectResetError"}} 1',
        ),
    ],
)
def test_facts_are_counted(fact: RuntimeFact, expected: str) -> None:
    telemetry = Telemetry("app", FakeClock())
    telemetry.observe(fact)
    assert expected in telemetry.registry.text().splitlines()


@pytest.mark.feature("S-OB-3")
def test_what_there_is_is_looked_up(tmp_path: Path) -> None:
    async def main() -> None:
        clock = FakeClock()
        telemetry = Telemetry("app", clock)
        async with ObjectHost(tmp_path, clock=clock, disk=telemetry.disk) as host:
            host.register(ObjectClass("Room", "app-Room", _Room))
            telemetry.attach(host)
            await host.namespace("Room").get_by_name("lobby").keep()
            lines = (await telemetry.metrics()).splitlines()
        assert f"durabase_objects_live{{{ROOM}}} 1" in lines
        assert f"durabase_objects_sleeping{{{ROOM}}} 0" in lines
        assert f"durabase_alarms_scheduled{{{ROOM}}} 1" in lines
        assert f"durabase_alarms_due{{{ROOM}}} 0" in lines
        assert "durabase_sync_seconds_count 1" in lines
        (size,) = [line for line in lines if line.startswith("durabase_storage_bytes{")]
        assert float(size.split()[1]) > 4096

    asyncio.run(main())


@pytest.mark.feature("S-OB-3")
def test_what_passes_gates_sockets_and_commits_is_counted(tmp_path: Path) -> None:
    async def main() -> None:
        clock = FakeClock()
        telemetry = Telemetry("app", clock)
        limits = ObjectLimits(queued_events=1)
        async with ObjectHost(tmp_path, clock=clock, disk=telemetry.disk, limits=limits) as host:
            host.register(ObjectClass("Room", "app-Room", _Busy))
            telemetry.attach(host)
            stub = host.namespace("Room").get_by_name("lobby")
            blocked = asyncio.ensure_future(stub.block())
            await asyncio.sleep(0)
            kept = asyncio.ensure_future(stub.keep())
            refused = asyncio.ensure_future(stub.keep())
            with pytest.raises(ObjectOverloadedError):
                await refused
            assert f"durabase_events_waiting{{{ROOM}}} 1" in (await telemetry.metrics()).splitlines()
            clock.advance(2000)
            _Busy.free.set()
            await asyncio.gather(blocked, kept)  # what is kept is written before either result leaves
            opened = await stub.fetch(Request("http://host/", headers={"upgrade": "websocket"}))
            sink = opened.web_socket.connect(_Port())
            sink.on_text("ping")
            lines = (await telemetry.metrics()).splitlines()
            sink.on_close(1000, "", True)
        for expected in (
            f"durabase_events_refused_total{{{ROOM}}} 1",
            f"durabase_events_waiting{{{ROOM}}} 0",
            f'durabase_gate_wait_seconds_sum{{{ROOM},gate="input"}} 2',
            f'durabase_gate_wait_seconds_count{{{ROOM},gate="output"}} 2',
            f'durabase_object_sockets{{{ROOM},state="awake"}} 1',
            f'durabase_object_sockets{{{ROOM},state="asleep"}} 0',
            f'durabase_object_sockets{{{ROOM},state="standard"}} 0',
            f"durabase_auto_responses_total{{{ROOM}}} 1",
            f"durabase_alarm_retries_total{{{ROOM}}} 0",
            f"durabase_alarms_given_up_total{{{ROOM}}} 0",
            "durabase_commit_failures_total 0",
        ):
            assert expected in lines
        (rows,) = [line for line in lines if line.startswith("durabase_rows_written_total")]
        assert float(rows.split()[1]) >= 3
        (commits,) = [line for line in lines if line.startswith("durabase_commit_seconds_count")]
        assert float(commits.split()[1]) >= 1

    asyncio.run(main())


class _Busy(DurableObject):
    free: asyncio.Event

    async def block(self) -> None:
        type(self).free = asyncio.Event()
        await self.ctx.block_concurrency_while(self.free.wait)

    async def keep(self) -> None:
        await self.ctx.storage.put({"a": 1, "b": 2, "c": 3})

    def fetch(self, request: Request) -> Response:
        client, server = WebSocketPair()
        self.ctx.accept_web_socket(server)
        self.ctx.set_web_socket_auto_response(WebSocketRequestResponsePair("ping", "pong"))
        return Response(None, status=101, web_socket=client)


class _Port:
    def send_text(self, text: str) -> None: ...

    def send_binary(self, data: bytes) -> None: ...

    def close(self, code: int | None, reason: str) -> None: ...

    def abort(self) -> None: ...

    def buffered_amount(self) -> int:
        return 0


class _Room(DurableObject):
    async def keep(self) -> None:
        await self.ctx.storage.put("k", 1)
        await self.ctx.storage.set_alarm(1_800_000_000_000)

    def alarm(self) -> None: ...
