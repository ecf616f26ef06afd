"""What the servers relay, answer and close, against the recordings of TinyBase 10.0.1.

A peer sees only the order on its own socket, so outputs are compared per destination, in order. Where the
servers differ from the original on purpose, a rule below says how the recording is to be read; each rule is
about a kind of situation, not about a case.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters.durable_object_storage import DurableObjectStoragePersister
from durabase.sync_server import WsServer, WsServerDurableObject, WsServerSimple
from durabase.synchronizers.ws_client import WsSynchronizer
from durabase.testing import FakeClock
from unit.sync_server._fakes import FakeContext, FakePort, MemoryPersister, ObjectSockets, settle
from vectors._load import cases, difference, load, run_operation, unwire

Event = dict[str, Any]
Destination = tuple[str, ...]


# -- the servers on fake sockets


class LoggingPort(FakePort):
    """Logs what the server does to it, in the recordings' form."""

    def __init__(self, script: Script, client: str, closed: Callable[[], None] | None) -> None:
        super().__init__()
        self._script = script
        self._client = client
        self._on_close = closed
        self.answered: set[str] = set()

    def send_text(self, text: str) -> None:
        if self.closed is None:
            self._script.log.append({"to": self._client, "payload": text})

    def close(self, code: int | None, reason: str) -> None:
        if self.closed is None:
            super().close(code, reason)
            self._script.log.append({"close": self._client, "code": code, "reason": reason or None})
            if self._on_close is not None:
                self._on_close()


class HonestPort(LoggingPort):
    """Sees to it that the server tells the hashes that its store has then, and answers a request once."""

    def send_text(self, text: str) -> None:
        message = message_of(text)
        if text.startswith("S\n") and message is not None:
            if is_about_hashes(message):
                assert message[2] in [
                    list(s.get_mergeable_content_hashes()) for s in self._script.stores.values()
                ]
            if message[1] == 0:
                assert message[0] not in self.answered
                self.answered.add(message[0])
        super().send_text(text)


class RecordedPersister(MemoryPersister):
    """The persister of the recordings: reports and logs."""

    def __init__(self, script: NodeScript, path_id: str) -> None:
        def report(error: Exception) -> None:
            is_withheld = isinstance(error, PersisterError)
            script.log.append({"withheld": path_id} if is_withheld else {"persisterError": str(error)})

        store = script.stores[path_id] = MergeableStore("server", clock=script.store_clock)
        super().__init__(store, script.saved, path_id, on_ignored_error=report)
        self._script = script
        if script.options.get("loadFails"):
            self.load_error = OSError("load failed")

    def _write(self, get_content: Callable[[], list[Any]]) -> None:
        super()._write(get_content)
        self._script.log.append({"saved": self.key})


class Script:
    """Runs the steps of a case against a server."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.options = case["options"]
        self.store_clock = FakeClock(case["start"])
        self.clock = FakeClock(case["start"])
        self.log: list[Event] = []
        self.stores: dict[str, MergeableStore] = {}

    async def run(self, step: dict[str, Any], fill: Callable[[str], str]) -> list[Event]:
        """Do what a step says and give what came out of the server."""
        self.log.clear()
        action = getattr(self, step["do"])
        if step["do"] == "repeat":
            for number in range(step["count"]):
                self.send({"client": step["client"], "payload": step["payload"].replace("#", f"{number:04}")})
        elif step["do"] == "send":
            self.send({**step, "payload": fill(step["payload"])})
        else:
            result = action(step)
            if asyncio.iscoroutine(result):
                await result
        if not step.get("noSettle"):
            await settle()
        return list(self.log)

    async def advance(self, step: dict[str, Any]) -> None:
        await self.clock.advance_and_settle(step["ms"], 30)

    def send(self, step: dict[str, Any]) -> None:
        raise NotImplementedError

    def repeat(self) -> None:
        raise NotImplementedError


class NodeScript(Script):
    """WsServerSimple and WsServer."""

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__(case)
        self.saved = {path: unwire(content) for path, content in self.options.get("saved", {}).items()}
        self.sinks: dict[str, Any] = {}
        self.ports: dict[str, LoggingPort] = {}
        self.server: Any
        if case["type"] == "WsServerSimple":
            self.server = WsServerSimple(clock=self.clock)
            return
        self.server = WsServer(
            self._make_persister if self.options.get("persister") else None,
            lambda error: self.log.append({"error": str(error)}),
            1.0,
            self.options.get("fragmentSize"),
            clock=self.clock,
        )
        self.server.add_path_ids_listener(
            lambda _server, path, change: self.log.append({"path": path, "change": change})
        )
        self.server.add_client_ids_listener(
            None,
            lambda _server, path, client, change: self.log.append(
                {"path": path, "client": client, "change": change}
            ),
        )

    async def _make_persister(self, path_id: str) -> Any:
        if self.options["persister"] == "failing":
            raise OSError("no persister")
        persister = RecordedPersister(self, path_id)
        if self.options["persister"] != "then":
            return persister

        def then(store: MergeableStore) -> None:
            self.log.append({"then": path_id})
            store.set_cell("then", "r", "c", 1)

        return persister, then

    def connect(self, step: dict[str, Any]) -> None:
        client = step["client"]
        port = HonestPort(self, client, lambda: self.sinks[client].on_close(1005, "", True))
        self.ports[client] = port
        self.sinks[client] = self.server.connect(port, step["url"], client, step.get("protocol"))

    def send(self, step: dict[str, Any]) -> None:
        self.sinks[step["client"]].on_text(step["payload"])

    def buffered(self, step: dict[str, Any]) -> None:
        self.ports[step["client"]].buffered = step["bytes"]

    def close(self, step: dict[str, Any]) -> None:
        self.ports[step["client"]].close(None, "")

    async def destroy(self, step: dict[str, Any]) -> None:
        await self.server.destroy()

    def setOnServer(self, step: dict[str, Any]) -> None:
        self.store_clock.set_now_ms(step["now"])
        run_operation(self.stores[step["path"]], step["run"])

    def state(self) -> dict[str, Any]:
        if not isinstance(self.server, WsServer):
            return {}
        paths = {path_id: self.server.get_client_ids(path_id) for path_id in self.server.get_path_ids()}
        return {"paths": paths, "stats": self.server.get_stats()}

    def end(self) -> dict[str, Any]:
        return {
            "serverContent": {
                path: store._get_encoded_mergeable_content() for path, store in self.stores.items()
            },
            "saved": self.saved,
        }


class ObjectScript(Script):
    """WsServerDurableObject."""

    def __init__(self, case: dict[str, Any]) -> None:
        super().__init__(case)
        self.ctx = FakeContext()
        self.sockets = ObjectSockets(self.ctx)

    def _make_class(self) -> type[WsServerDurableObject]:
        script, log, options = self, self.log, self.options

        class Scripted(WsServerDurableObject):
            clock = script.clock

            def create_persister(self) -> Any:
                if not options.get("persister"):
                    return None
                script.stores[""] = MergeableStore("server", clock=script.store_clock)
                return DurableObjectStoragePersister(script.stores[""], self.ctx.storage)

            def get_fragment_size(self) -> float | None:
                size: float | None = options.get("fragmentSize")
                return size

            def on_path_id(self, path_id: str, added_or_removed: int) -> None:
                log.append({"path": path_id, "change": added_or_removed})

            def on_client_id(self, path_id: str, client_id: str, added_or_removed: int) -> None:
                log.append({"path": path_id, "client": client_id, "change": added_or_removed})

            def on_message(self, from_client_id: str, to_client_id: str, remainder: str) -> None:
                log.append({"from": from_client_id, "for": to_client_id, "remainder": remainder})

            def on_ignored_error(self, error: Exception) -> None:
                log.append({"error": str(error)})

        return Scripted

    async def create(self, step: dict[str, Any]) -> None:
        await self.sockets.construct(self._make_class())

    async def hibernate(self, step: dict[str, Any]) -> None:
        await self.create(step)

    def connect(self, step: dict[str, Any]) -> None:
        assert step["status"] == 101
        self.sockets.connect(step["client"], step["url"], HonestPort(self, step["client"], None))

    def send(self, step: dict[str, Any]) -> None:
        self.sockets.send(step["client"], step["payload"])

    def close(self, step: dict[str, Any]) -> None:
        self.sockets.close(step["client"])

    def setOnServer(self, step: dict[str, Any]) -> None:
        self.store_clock.set_now_ms(step["now"])
        run_operation(self.stores[""], step["run"])

    def state(self) -> dict[str, Any]:
        server = self.sockets.object
        return {"pathId": server.get_path_id(), "clientIds": server.get_client_ids()}

    def end(self) -> dict[str, Any]:
        if not self.stores:
            return {}
        entries = [[key, value] for key, value in sorted(self.ctx.storage.entries.items())]
        return {"serverContent": self.stores[""]._get_encoded_mergeable_content(), "entries": entries}


# -- comparing


def destination_of(event: Event) -> Destination:
    """To whom an event is visible, in order with what else is."""
    if "to" in event or "close" in event:
        return ("client", event.get("to") or event["close"])
    if "path" in event:
        return ("path", event["path"])
    if "from" in event:
        return ("messages",)
    return (next(iter(event)),)


_PIECE = re.compile(r"([-0-9A-Z_a-z]{16})\n(\d+)\n(\d+)\n(.*)", re.DOTALL)


def joined(events: list[Event]) -> list[Event]:
    """With the pieces of each message that the server cut as one event, as the recordings have it."""
    result: list[Event] = []
    groups: dict[tuple[Destination, str], Event] = {}
    for event in events:
        text: str = event.get("payload") or event.get("remainder") or ""
        from_server = event.get("from") == "S" or text.startswith(("S\n", "M\n"))
        head, _, remainder = text.partition("\n") if "payload" in event else ("", "", text)
        piece = _PIECE.fullmatch(remainder) if from_server else None
        if piece is None:
            result.append(event)
            continue
        message_id, _, _, part = piece.groups()
        key = (destination_of(event), message_id)
        name = "payload" if "payload" in event else "remainder"
        if key not in groups:
            groups[key] = {**event, name: f"{head}\n" if head else "", "fragments": []}
            result.append(groups[key])
        groups[key][name] += part
        groups[key]["fragments"].append(len(part.encode()))
    return result


class Ids:
    """Which id of ours each placeholder of a recording stands for."""

    _PLACEHOLDER = re.compile(r"\{(t\d+)(?:\.(r\d+))?\}")

    def __init__(self) -> None:
        self._bound: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """The text with our ids."""
        return self._PLACEHOLDER.sub(lambda match: self._filled(*match.groups()), text)

    def _filled(self, transaction: str, request: str | None) -> str:
        found = self._bound[transaction]
        return found if request is None else f"{found}.{self._bound[f'{transaction}.{request}']}"

    def match(self, recorded: Event, actual: Event, bind: bool = True) -> bool:
        """Whether two events are the same, ids aside; then our ids are bound to the placeholders."""
        if recorded.keys() != actual.keys():
            return False
        bound = dict(self._bound)
        for key, expected in recorded.items():
            found = actual[key]
            if not (
                self._match_text(expected, found, bound) if isinstance(expected, str) else expected == found
            ):
                return False
        if bind:
            self._bound = bound
        return True

    def _match_text(self, expected: str, found: Any, bound: dict[str, str]) -> bool:
        pattern, names, start = "", [], 0
        for placeholder in self._PLACEHOLDER.finditer(expected):
            transaction, request = placeholder.groups()
            pattern += re.escape(expected[start : placeholder.start()]) + r"([-0-9A-Z_a-z]{11})"
            names.append(transaction)
            if request is not None:
                pattern += r"\.([-0-9A-Z_a-z]{4})"
                names.append(f"{transaction}.{request}")
            start = placeholder.end()
        match = re.fullmatch(pattern + re.escape(expected[start:]), found)
        if match is None:
            return False
        return all(
            bound.setdefault(name, value) == value for name, value in zip(names, match.groups(), strict=True)
        )


def by_destination(events: list[Event]) -> dict[Destination, list[Event]]:
    streams: dict[Destination, list[Event]] = defaultdict(list)
    for event in events:
        streams[destination_of(event)].append(event)
    return streams


def message_of(payload: str) -> list[Any] | None:
    """The message of a whole payload; ``None`` for a control, a piece, or no message at all."""
    try:
        message = json.loads(payload.rpartition("\n")[2])
    except ValueError:
        return None
    return message if isinstance(message, list) and len(message) == 3 else None


def is_about_hashes(message: list[Any]) -> bool:
    """Whether a message tells the content hashes of its sender."""
    body = message[2]
    return message[1] in (0, 2) and isinstance(body, list) and len(body) == 2 and isinstance(body[1], int)


# -- where ours differs, and why


class Differences:
    """The rules by which a recording is read. Each says what only one of the two sides may have."""

    def __init__(self, case: dict[str, Any]) -> None:
        self._case = case
        self._is_node = case["type"] == "WsServer"
        self._has_store = bool(case["options"].get("persister"))
        self._sent: list[tuple[str, list[Any]]] = []
        self._ignored_diffs: list[list[Any]] = []
        self._is_dozing = False

    def note_step(self, step: dict[str, Any], fill: Callable[[str], str]) -> None:
        """Keep in mind what the clients have sent, and whether the original's store would heed it."""
        if step["do"] in ("create", "hibernate"):
            self._is_dozing = True
        elif step["do"] == "advance":
            self._is_dozing = False
        elif step["do"] == "send" and (message := message_of(fill(step["payload"]))) is not None:
            self._sent.append((step["client"], message))
            if self._is_dozing and self._has_store and message[1] == 3:
                self._ignored_diffs.append(message[2])

    def may_be_extra(self, event: Event, step: dict[str, Any]) -> bool:
        """Whether ours may do this although the original did not."""
        return (
            self._answers_a_request(event)
            or self._pulls_after_an_answer(event)
            or self._tells_what_it_pulled(event)
            or self._stops_at_once(event, step)
            or self._withholds_saving(event)
        )

    def may_be_missing(self, event: Event) -> bool:
        """Whether the original did this and ours need not."""
        return self._need_not_complain(event) or self._need_not_overwrite(event)

    # A room is ready, and an object awake, when it is loaded: requests are answered at once. The original's
    # Node server answers after its own first request has timed out, its object does not answer before its
    # synchronizer has started.
    def _answers_a_request(self, event: Event) -> bool:
        message = self._of_server(event)
        if message is None or message[1] != 0:
            return False
        client = event.get("to", event.get("for"))
        return any(
            c == client and sent[0] == message[0] and sent[1] in (1, 4, 5, 6, 7) for c, sent in self._sent
        )

    # For the same reason answers to the server's first request are heeded, and ContentHashes are: it pulls.
    def _pulls_after_an_answer(self, event: Event) -> bool:
        message = self._of_server(event)
        if message is None or message[1] not in (4, 5, 6, 7):
            return False
        return any(sent[1] in (0, 2) for _, sent in self._sent)

    # And then it does not time out.
    def _need_not_complain(self, event: Event) -> bool:
        match = re.fullmatch(r"tinybase:3:\.(.*)\.1", event.get("error", ""))
        return match is not None and any(sent[1] == 0 for _, sent in self._sent)

    # What a pull from one client brought in is told to the others, who may have come meanwhile.
    def _tells_what_it_pulled(self, event: Event) -> bool:
        message = self._of_server(event)
        return message is not None and message[1] == 2 and len({client for client, _ in self._sent}) > 1

    # A room that is left is gone when its writing is done; the original's waits for its request to time out.
    def _stops_at_once(self, event: Event, step: dict[str, Any]) -> bool:
        return (
            self._is_node
            and step["do"] in ("destroy", "close")
            and event.get("change") == -1
            and "client" not in event
        )

    # What could not be loaded is not overwritten, and that is said.
    def _withholds_saving(self, event: Event) -> bool:
        return "withheld" in event and bool(self._case["options"].get("loadFails"))

    def _need_not_overwrite(self, event: Event) -> bool:
        return "saved" in event and bool(self._case["options"].get("loadFails"))

    def _of_server(self, event: Event) -> list[Any] | None:
        if not self._has_store:
            return None
        if event.get("from") == "S":
            return message_of(event["remainder"])
        payload = event.get("payload", "")
        return message_of(payload) if payload.startswith("S\n") else None

    def is_order_free(self) -> bool:
        """Whether clients spoke to a room that the original had not ready: things come at other times."""
        return self._is_node and self._has_store and self._spoke_before_ready()

    def _spoke_before_ready(self) -> bool:
        is_waiting = False
        for step in self._case["steps"]:
            if step["do"] == "connect" and any(
                event.get("change") == 1 and "client" not in event for event in step["out"]
            ):
                is_waiting = True
            elif any((self._of_server(event) or [0, 0])[1] == 2 for event in step["out"]):
                is_waiting = False
            elif is_waiting and step["do"] == "send":
                return True
        return False

    def has_more(self) -> bool:
        """Whether ours took something over that the original ignored, because it was not awake enough."""
        return bool(self._ignored_diffs)

    def without_hashes(self, event: Event) -> Event:
        """A room that takes things over earlier has other hashes meanwhile; HonestPort checks them."""
        message = self._of_server(event)
        if message is None or not is_about_hashes(message):
            return event
        text = json.dumps([*message[:2], "hashes"])
        return {**event, "remainder": text} if "remainder" in event else {**event, "payload": f"S\n{text}"}

    def expected_end(self) -> dict[str, Any]:
        """The recorded end, with what the original's store had ignored while it dozed."""
        end: dict[str, Any] = {
            key: unwire(self._case[key]) for key in ("serverContent", "saved", "entries") if key in self._case
        }
        if self._case["options"].get("loadFails"):
            end["saved"] = unwire(self._case["options"].get("saved", {}))
        if self._ignored_diffs and "serverContent" in end:
            store = MergeableStore("other", clock=FakeClock(self._case["start"] + 10_000))
            store._set_encoded_mergeable_content(end["serverContent"])
            for diff in self._ignored_diffs:
                store._apply_encoded_mergeable_changes(unwire(diff))
            end["serverContent"] = store._get_encoded_mergeable_content()
            del end["entries"]
        return end


def compare_in_order(
    recorded: list[Event], actual: list[Event], ids: Ids, rules: Differences, step: dict[str, Any]
) -> None:
    """Every recorded event in its order; between them only what a rule allows."""
    ours = list(actual)
    for event in recorded:
        while ours and not ids.match(event, ours[0]) and rules.may_be_extra(ours[0], step):
            ours.pop(0)
        if ours and ids.match(event, ours[0]):
            ours.pop(0)
        else:
            assert rules.may_be_missing(event), f"{event} did not come; next is {ours[:1]}"
    left = [event for event in ours if not rules.may_be_extra(event, step)]
    assert not left, f"also came: {left}"


def compare_in_any_order(
    recorded: list[Event], actual: list[Event], ids: Ids, rules: Differences, step: dict[str, Any]
) -> None:
    """Every recorded event at some time, beside what a rule allows."""
    ours = list(actual)
    for event in recorded:
        found = next((own for own in ours if ids.match(event, own)), None)
        if found is None:
            assert rules.may_be_missing(event), f"{event} did not come, only {ours}"
        else:
            ours.remove(found)
    left = [event for event in ours if not rules.may_be_extra(event, step)]
    assert not left, f"also came: {left}"


def compare_streams(recorded: list[Event], actual: list[Event], compare: Any, *arguments: Any) -> None:
    theirs, ours = by_destination(recorded), by_destination(joined(actual))
    for destination in {**theirs, **ours}:
        compare(theirs[destination], ours[destination], *arguments)


async def run_case(case: dict[str, Any]) -> None:
    script = ObjectScript(case) if case["type"] == "WsServerDurableObject" else NodeScript(case)
    ids, rules = Ids(), Differences(case)
    all_recorded: list[Event] = []
    all_actual: list[Event] = []
    for step in case["steps"]:
        rules.note_step(step, ids.fill)
        actual = await script.run(step, ids.fill)
        recorded = [
            event
            for event in step["out"]
            if not ("close" in event and step["do"] == "close" and isinstance(script, ObjectScript))
        ]
        if rules.is_order_free():
            all_recorded += recorded
            all_actual += actual
            bind_early(recorded, joined(actual), ids)
        else:
            if rules.has_more():
                recorded, actual = (
                    [rules.without_hashes(event) for event in events] for events in (recorded, actual)
                )
            compare_streams(recorded, actual, compare_in_order, ids, rules, step)
        compare_state(step, script.state(), rules)
    if all_recorded:
        theirs, ours = (
            [rules.without_hashes(event) for event in joined(events)] for events in (all_recorded, all_actual)
        )
        compare_streams(theirs, ours, compare_in_any_order, ids, rules, case["steps"][-1])
    end = script.end()
    for key, expected in rules.expected_end().items():
        assert difference(end[key], expected) is None, f"{key}: {difference(end[key], expected)}"


def bind_early(recorded: list[Event], actual: list[Event], ids: Ids) -> None:
    """Later steps speak of ids that the server made: bind those that came when they were recorded."""
    for event in recorded:
        for own in actual:
            if destination_of(event) == destination_of(own) and ids.match(event, own):
                break


def compare_state(step: dict[str, Any], state: dict[str, Any], rules: Differences) -> None:
    expected = {key: step[key] for key in ("paths", "stats", "pathId", "clientIds") if key in step}
    if step["do"] in ("destroy", "close") and "paths" in expected:
        gone = [path for path, clients in expected["paths"].items() if not clients]
        if gone and rules.is_order_free():  # the rule of _stops_at_once, as seen in the state
            expected["paths"] = {path: clients for path, clients in expected["paths"].items() if clients}
            expected["stats"] = {**expected["stats"], "paths": expected["stats"]["paths"] - len(gone)}
    assert state == expected


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{case['type']}: {case['name']}") for case in cases("ws_server")]
)
def test_server(case: dict[str, Any]) -> None:
    asyncio.run(run_case(case))


# -- fragments of a client


class _Outbox:
    """A transport that keeps what is sent; nothing ever comes."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._over = asyncio.Event()

    def send_text(self, text: str) -> None:
        self.sent.append(text)

    def close(self, code: int | None, reason: str) -> None:
        self._over.set()

    async def wait_closed(self) -> None:
        await self._over.wait()

    def buffered_amount(self) -> int:
        return 0

    async def __aiter__(self) -> Any:
        await self._over.wait()
        return
        yield ""


async def sent_by_client(recording: dict[str, Any]) -> list[str]:
    start = load("ws_server")["start"]
    store, transport, clock = MergeableStore("s1", clock=FakeClock(start)), _Outbox(), FakeClock(start)
    synchronizer = WsSynchronizer(
        store,
        transport,
        fragment_size=recording["fragmentSize"],
        clock=clock,
        on_ignored_error=lambda _: None,
    )
    async with synchronizer:
        store.set_value("before", 1)  # the recorded client had made one edit already
        synchronizer.start_sync()
        clock.advance(1000)
        transport.sent.clear()
        store.set_value("w", recording["value"])
    return transport.sent


@pytest.mark.parametrize("recording", cases("ws_server", "fragments"))
def test_client_fragments(recording: dict[str, Any]) -> None:
    payloads = asyncio.run(sent_by_client(recording))
    assert len(payloads) == recording["count"]
    if len(payloads) == 1:
        text = payloads[0]
    else:
        pieces = [payload.split("\n", 4) for payload in payloads]
        assert len({piece[1] for piece in pieces}) == 1
        assert [(piece[2], piece[3]) for piece in pieces] == [
            (str(i), str(len(pieces))) for i in range(len(pieces))
        ]
        sizes = [len(piece[4].encode()) for piece in pieces]
        assert sizes == [size for size, count in recording["runs"] for _ in range(count)]
        text = f"{pieces[0][0]}\n" + "".join(piece[4] for piece in pieces)
    assert Ids().match({"payload": recording["payload"]}, {"payload": text})
