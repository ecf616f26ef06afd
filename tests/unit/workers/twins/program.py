# The same program as program.mjs beside it. Each scenario gives what a program can observe.
import asyncio
import json

from js import WebSocketPair
from workers import DurableObject, Response, RpcTarget, WorkerEntrypoint

NAMES = ["alarm", "webSocketMessage", "webSocketClose", "webSocketError"]


async def outcome(call):
    try:
        result = call()
        return ["gives", await result if hasattr(result, "__await__") else result]
    except Exception as error:
        marks = ("remote", "retryable", "overloaded", "durableObjectReset")
        return ["throws", str(error), *(bool(getattr(error, mark, False)) for mark in marks)]


class Item(RpcTarget):
    @property
    def name(self):
        return "an item"

    def double(self, number):
        return number * 2

    def alarm(self):
        return "alarm"

    def webSocketMessage(self):
        return "webSocketMessage"


class Room(DurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.count = 0

    async def fetch(self, request):
        client, server = WebSocketPair.new().object_values()
        self.ctx.acceptWebSocket(server, ["first", "second"])
        server.serializeAttachment({"a": [1]})
        return Response(None, status=101, web_socket=client)

    async def webSocketMessage(self, ws, message):
        if message == "close":
            ws.close(4001, "asked")
        elif message == "facts":
            sockets = [len(self.ctx.getWebSockets(*tag)) for tag in ((), ("first",), ("third",))]
            facts = [self.ctx.getTags(ws), *sockets, ws.readyState, ws.deserializeAttachment()]
            ws.send(json.dumps(facts))
        else:
            failures = [await outcome(lambda: ws.close(1005)), await outcome(lambda: ws.close(999))]
            ws.send(json.dumps(failures))

    async def webSocketClose(self, ws, code, reason, wasClean):
        await self.ctx.storage.put("closed", [code, reason, wasClean, ws.readyState])

    def closed(self):
        return self.ctx.storage.get("closed")

    def ownName(self):
        return self.ctx.id.name

    def ownId(self):
        return self.ctx.id.toString()

    def fail(self):
        raise TypeError("as it is")

    async def failLate(self):
        await self.ctx.storage.put("kept", 1)
        raise ValueError("later")

    def kept(self):
        return self.ctx.storage.get("kept")

    def _underscore(self):
        return "called"

    def item(self):
        return Item()

    def multiply(self):
        return lambda number: number * 3

    async def each(self, call):
        return [await call(1), await call(2)]

    async def giveUp(self, reason=None):
        await self.ctx.storage.put("lost", 1)
        self.ctx.abort(reason)

    def lost(self):
        return self.ctx.storage.get("lost")

    async def next(self):
        now = self.count
        await self.ctx.storage.get("x")
        self.count = now + 1
        return self.count

    async def alarms(self):
        storage = self.ctx.storage
        before = await storage.getAlarm()
        await storage.setAlarm(4102444800000)
        now = await storage.getAlarm()
        await storage.deleteAlarm()
        return [before, now, await storage.getAlarm()]

    async def alarm(self):
        pass

    async def lists(self):
        storage = self.ctx.storage
        entries = {"b": 2, "a": 1, "é": 5, "aa": 3, "😀": 7, "～": 6, "Z": 0, "10": 4}
        await storage.put(entries)

        async def keys(**options):
            return list(await storage.list(**options))

        found = [
            await keys(),
            await keys(reverse=True, limit=2),
            await keys(prefix="a"),
            await keys(start="a", end="b"),
            await keys(startAfter="a", limit=2),
            await keys(start="b", end="a"),
            [list(pair) for pair in (await storage.get(["b", "none", "a", "b"])).items()],
            await storage.delete(["a", "a", "none"]),
            await storage.delete("none"),
            await storage.delete("b"),
            await outcome(lambda: storage.list(limit=0)),
            await outcome(lambda: storage.list(start="a", startAfter="a")),
            await outcome(lambda: storage.put("k")),
        ]
        await storage.deleteAll()
        return [*found, await keys()]

    async def sql(self):
        sql = self.ctx.storage.sql
        sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL)")
        written = sql.exec("INSERT INTO t (b) VALUES (?), (?)", "y", "z")
        return [
            sql.exec("SELECT * FROM t ORDER BY a").toArray(),
            sql.exec("SELECT a, b FROM t LIMIT 1").columnNames,
            [list(row) for row in sql.exec("SELECT b FROM t ORDER BY a").raw()],
            written.rowsWritten > 0,
            sql.exec("SELECT count(*) AS n FROM t").one(),
            await outcome(lambda: sql.exec("SELECT * FROM t WHERE a = 99").one()),
            await outcome(lambda: sql.exec("SELECT * FROM t").one()),
            await outcome(lambda: sql.exec("SELECT ?", 1, 2)),
            await outcome(lambda: sql.exec("nonsense")),
            await outcome(lambda: sql.exec("SELECT * FROM nowhere")),
            await outcome(lambda: sql.exec("INSERT INTO t VALUES (1, 'again')")),
            await outcome(lambda: sql.exec("BEGIN")),
        ]

    async def section(self, fails):
        async def within():
            await self.ctx.storage.put("inside", fails)
            if fails:
                raise RuntimeError("inside")
            return "its value"

        return await self.ctx.blockConcurrencyWhile(within)

    def inside(self):
        return self.ctx.storage.get("inside")

    def entries(self):
        kv = self.ctx.storage.kv
        for key in ("b", "a", "aa", "c"):
            kv.put(key, f"{key}!")
        return [
            kv.get("a"),
            kv.get("none"),
            [list(pair) for pair in kv.list()],
            [list(pair) for pair in kv.list(prefix="a", reverse=True)],
            kv.delete("a"),
            kv.delete("a"),
            len(list(kv.list(limit=2))),
        ]

    async def transactions(self):
        storage = self.ctx.storage

        def put(value, fails=False):
            storage.kv.put("s", value)
            if fails:
                raise RuntimeError("back")
            return "done"

        async def within(txn, value, then):
            await txn.put("s", value)
            return await then(txn)

        async def fail(txn):
            raise RuntimeError("back")

        async def rolled_back(txn):
            txn.rollback()
            return "rolled back"

        return [
            await outcome(lambda: storage.transactionSync(lambda: put(1, fails=True))),
            storage.kv.get("s"),
            storage.transactionSync(lambda: put(2)),
            storage.kv.get("s"),
            await outcome(lambda: storage.transaction(lambda txn: within(txn, 3, fail))),
            await storage.get("s"),
            await storage.transaction(lambda txn: within(txn, 4, rolled_back)),
            await storage.get("s"),
            await storage.transaction(lambda txn: within(txn, 5, lambda txn: txn.get("s"))),
        ]


READY = []


class Frail(DurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        if not READY:
            raise RuntimeError("not ready")

    def ping(self):
        return "pong"


class Empty(DurableObject):
    pass


class Odd(DurableObject):
    async def fetch(self, request):
        return "no response"


async def ids(env):
    id = env.ROOM.idFromName("a")
    again = env.ROOM.idFromString(id.toString())
    return [
        id.toString(),
        id.name,
        id.equals(env.ROOM.idFromName("a")),
        id.equals(env.ROOM.idFromName("b")),
        again.equals(id),
        again.name,
        len(env.ROOM.newUniqueId().toString()),
        await outcome(lambda: env.ROOM.idFromString("xyz")),
        await outcome(lambda: env.ROOM.idFromString(env.EMPTY.idFromName("a").toString())),
    ]


async def names(env):
    room = env.ROOM.getByName("named")
    return [await room.ownName(), await room.ownId() == env.ROOM.idFromName("named").toString(), room.name]


async def errors(env):
    room = env.ROOM.getByName("errors")
    failures = [await outcome(lambda: room.fail()), await outcome(lambda: room.failLate())]
    return [*failures, await room.kept(), await outcome(lambda: room._underscore())]


async def reserved(env):
    room = env.ROOM.getByName("reserved")
    return [[name, await outcome(lambda name=name: getattr(room, name)())] for name in NAMES]


async def targets(env):
    room = env.ROOM.getByName("targets")
    item = await room.item()
    return [
        await item.double(4),
        await item.name,
        await room.item().double(5),
        await room.item().name,
        await (await room.multiply())(2),
        await room.each(lambda number: number + 10),
        await outcome(lambda: item.alarm()),
        await outcome(lambda: item.webSocketMessage()),
    ]


async def aborts(env):
    room = env.ROOM.getByName("aborts")
    return [
        await outcome(lambda: room.giveUp("the reason")),
        await outcome(lambda: room.lost()),
        await outcome(lambda: env.ROOM.getByName("aborts").lost()),
        await outcome(lambda: env.ROOM.getByName("aborts").giveUp()),
    ]


async def order(env):
    room = env.ROOM.getByName("order")
    return await asyncio.gather(room.next(), room.next(), room.next(), room.next())


async def alarms(env):
    return await env.ROOM.getByName("alarms").alarms()


async def lists(env):
    return await env.ROOM.getByName("lists").lists()


async def sql(env):
    return await env.ROOM.getByName("sql").sql()


async def transactions(env):
    return await env.ROOM.getByName("transactions").transactions()


async def entries(env):
    return await env.ROOM.getByName("entries").entries()


async def constructors(env):
    before = env.FRAIL.getByName("a")
    failures = [await outcome(lambda: before.ping()), await outcome(lambda: before.ping())]
    READY.append(True)
    after = env.FRAIL.getByName("a")
    return [*failures, await outcome(lambda: before.ping()), await outcome(lambda: after.ping())]


async def sections(env):
    room = env.ROOM.getByName("sections")
    return [
        await outcome(lambda: room.section(False)),
        await outcome(lambda: room.section(True)),
        await outcome(lambda: room.inside()),
        await outcome(lambda: env.ROOM.getByName("sections").inside()),
    ]


async def fetches(env):
    return [
        await outcome(lambda: env.EMPTY.getByName("a").fetch("http://x/")),
        await outcome(lambda: env.ODD.getByName("a").fetch("http://x/")),
    ]


async def sockets(env):
    room = env.ROOM.getByName("sockets")
    response = await room.fetch("http://x/", headers={"upgrade": "websocket"})
    socket, heard = response.web_socket, asyncio.Queue()
    socket.addEventListener("message", lambda event: heard.put_nowait(json.loads(event.data)))
    socket.addEventListener(
        "close", lambda event: heard.put_nowait([event.code, event.reason, event.wasClean])
    )
    socket.accept()
    said = []
    for message in ("facts", "codes", "close"):
        socket.send(message)
        said.append(await heard.get())
    socket.close(4001, "asked")
    for _ in range(50):
        await asyncio.sleep(0)
    return [response.status, *said, await room.closed(), await outcome(lambda: socket.send("late"))]


SCENARIOS = (
    *(ids, names, errors, reserved, targets, aborts, order),
    *(alarms, lists, sql, transactions, entries, constructors, sections, fetches, sockets),
)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.from_json({run.__name__: await run(self.env) for run in SCENARIOS})
