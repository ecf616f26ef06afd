"""What events mean for an instance, and what becomes of their results."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.events import Alarm, AlarmInfo, Call, Fetch, Read, Run, Served
from durabase.durable_objects.invocation import checked, kind_of, no_response, size_of
from durabase.durable_objects.routing import ObjectKey
from durabase.web import Request, Response
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.test_life import Counter


@pytest.mark.feature("M-ST-9")
def test_fetch_must_exist_and_give_a_response() -> None:
    class Silent(DurableObject):
        def fetch(self) -> str:
            return "no response"

    async def without(rig: Rig) -> None:
        with pytest.raises(TypeError, match=r"Handler does not export a fetch\(\) function"):
            await rig.stub().fetch("http://x/")

    async def wrong(rig: Rig) -> None:
        with pytest.raises(TypeError, match="did not resolve to 'Response'"):
            await rig.stub().fetch("http://x/")

    run(without, Counter)
    run(wrong, Silent)


class Answering(DurableObject):
    title = "a title"

    def echo(self, *arguments: Any, **keywords: Any) -> Any:
        return [list(arguments), keywords]

    def fetch(self, request: Request) -> Response:
        async def pieces() -> Any:
            yield request.method.encode()
            yield b"!"

        return Response(pieces() if request.url.endswith("/stream") else request.method, 201)


def test_methods_properties_and_requests_are_those_of_the_instance() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        assert await stub.echo(1, k=2) == [[1], {"k": 2}]
        assert await stub.title == "a title"
        assert await rig.run_in(lambda instance, ctx: [instance.title, ctx.id.name]) == ["a title", "x"]
        response = await stub.fetch("http://h/", method="PUT")
        assert (response.status, response.body_bytes()) == (201, b"PUT")
        streamed = await stub.fetch("http://h/stream", method="PUT")
        assert [piece async for piece in streamed.iter_body()] == [b"PUT", b"!"]

    run(scenario, Answering)


def test_what_was_given_away_is_called_and_checked_as_it_says() -> None:
    async def scenario(rig: Rig) -> None:
        key = ObjectKey("Answering", rig.namespace.id_from_name("x"))
        served = Served(lambda: 5, lambda value: [value], "given")
        assert await rig.host.deliver(key, served) == [5]

    run(scenario, Answering)


ALARM = Alarm(AlarmInfo(0, False, 1), 1)


@pytest.mark.parametrize(
    ("event", "kind", "size"),
    [
        (Fetch(Request("http://h/", method="POST", body="é")), "fetch", 2),
        (Fetch(Request("http://h/")), "fetch", 0),
        (Call("method", (), {}, size=7), "method", 7),
        (Read("title"), "title", 0),
        (Served(print, print, "given"), "given", 0),
        (ALARM, "alarm", 0),
        (Run(print), "run", 0),
    ],
)
def test_what_events_are_called_and_how_large_they_are(event: Any, kind: str, size: int) -> None:
    assert (kind_of(event), size_of(event)) == (kind, size)


def test_a_body_that_is_still_to_come_takes_nothing_yet() -> None:
    async def chunks() -> Any:
        yield b"piece"

    assert size_of(Fetch(Request("http://h/", method="POST", body=chunks()))) == 0


@pytest.mark.parametrize(
    ("found", "note"), [(None, "fetch returned nothing"), ("text", "fetch returned an object of type str")]
)
def test_what_is_no_response_says_what_it_is(found: Any, note: str) -> None:
    error = no_response(found)
    assert str(error) == "Incorrect type for Promise: the Promise did not resolve to 'Response'."
    assert error.__notes__[0].startswith(note)


def test_a_result_is_checked_and_an_error_is_not() -> None:
    finished: list[Any] = []

    def refuse(value: Any) -> Any:
        raise ValueError(value)

    def note(value: Any, error: BaseException | None) -> None:
        finished.append((value, error if error is None else repr(error)))

    checked(lambda value: value + 1, note)(1, None)
    checked(refuse, note)(1, None)
    checked(refuse, note)(None, KeyError("first"))
    assert finished == [(2, None), (1, "ValueError(1)"), (None, "KeyError('first')")]


def test_an_alarm_that_is_not_set_any_more_is_none() -> None:
    class Ringing(DurableObject):
        rung = 0

        def alarm(self, info: Any) -> None:
            Ringing.rung += 1

    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda instance, ctx: ctx.storage.set_alarm(rig.clock.now_ms() + 1000))
        key = ObjectKey("Ringing", rig.namespace.id_from_name("x"))
        await rig.host.deliver(key, Alarm(ALARM.info, 99))
        assert Ringing.rung == 0
        assert await rig.run_in(lambda instance, ctx: ctx.storage.get_alarm()) is not None
        await rig.pass_time(1)
        assert Ringing.rung == 1

    run(scenario, Ringing)
