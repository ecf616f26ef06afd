// The same program as index.py beside it, for workerd. Each scenario gives what a program can observe.
import { DurableObject, RpcTarget } from "cloudflare:workers";

const NAMES = ["alarm", "webSocketMessage", "webSocketClose", "webSocketError"];

async function outcome(call) {
  try {
    return ["gives", (await call()) ?? null];
  } catch (error) {
    return ["throws", error.message, !!error.remote, !!error.retryable, !!error.overloaded, !!error.durableObjectReset];
  }
}

class Item extends RpcTarget {
  secret = "of the instance";
  get name() { return "an item"; }
  double(number) { return number * 2; }
  alarm() { return "alarm"; }
  webSocketMessage() { return "webSocketMessage"; }
}

export class Room extends DurableObject {
  count = 0;
  async fetch(request) {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, ["first", "second"]);
    server.serializeAttachment({ a: [1] });
    return new Response(null, { status: 101, webSocket: client });
  }
  async webSocketMessage(ws, message) {
    if (message === "close") return ws.close(4001, "asked");
    if (message === "facts") {
      ws.send(JSON.stringify([this.ctx.getTags(ws), this.ctx.getWebSockets().length,
        this.ctx.getWebSockets("first").length, this.ctx.getWebSockets("third").length,
        ws.readyState, ws.deserializeAttachment()]));
      return;
    }
    ws.send(JSON.stringify([await outcome(() => ws.close(1005)), await outcome(() => ws.close(999))]));
  }
  async webSocketClose(ws, code, reason, wasClean) {
    await this.ctx.storage.put("closed", [code, reason, wasClean, ws.readyState]);
  }
  closed() { return this.ctx.storage.get("closed"); }
  ownName() { return this.ctx.id.name ?? null; }
  ownId() { return this.ctx.id.toString(); }
  fail() { throw new TypeError("as it is"); }
  async failLate() { await this.ctx.storage.put("kept", 1); throw new RangeError("later"); }
  kept() { return this.ctx.storage.get("kept"); }
  _underscore() { return "called"; }
  item() { return new Item(); }
  multiply() { return (number) => number * 3; }
  async each(call) { return [await call(1), await call(2)]; }
  async giveUp(reason) {
    await this.ctx.storage.put("lost", 1);
    this.ctx.abort(reason);
  }
  lost() { return this.ctx.storage.get("lost"); }
  async next() {
    const now = this.count;
    await this.ctx.storage.get("x");
    this.count = now + 1;
    return this.count;
  }
  async alarms() {
    const storage = this.ctx.storage;
    const before = await storage.getAlarm();
    await storage.setAlarm(4102444800000);
    const set = await storage.getAlarm();
    await storage.deleteAlarm();
    return [before, set, await storage.getAlarm()];
  }
  async alarm() {}
  async lists() {
    const storage = this.ctx.storage;
    await storage.put({ b: 2, a: 1, "é": 5, aa: 3, "😀": 7, "～": 6, Z: 0, 10: 4 });
    const keys = async (options) => [...(await storage.list(options)).keys()];
    const found = [await keys(), await keys({ reverse: true, limit: 2 }), await keys({ prefix: "a" }),
      await keys({ start: "a", end: "b" }), await keys({ startAfter: "a", limit: 2 }),
      await keys({ start: "b", end: "a" }),
      [...(await storage.get(["b", "none", "a", "b"])).entries()],
      await storage.delete(["a", "a", "none"]), await storage.delete("none"), await storage.delete("b"),
      await outcome(() => storage.list({ limit: 0 })),
      await outcome(() => storage.list({ start: "a", startAfter: "a" })),
      await outcome(() => storage.put("k"))];
    await storage.deleteAll();
    found.push(await keys());
    return found;
  }
  async sql() {
    const sql = this.ctx.storage.sql;
    sql.exec("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL)");
    const written = sql.exec("INSERT INTO t (b) VALUES (?), (?)", "y", "z");
    return [sql.exec("SELECT * FROM t ORDER BY a").toArray(), sql.exec("SELECT a, b FROM t LIMIT 1").columnNames,
      [...sql.exec("SELECT b FROM t ORDER BY a").raw()], written.rowsWritten > 0,
      sql.exec("SELECT count(*) AS n FROM t").one(),
      await outcome(() => sql.exec("SELECT * FROM t WHERE a = 99").one()),
      await outcome(() => sql.exec("SELECT * FROM t").one()),
      await outcome(() => sql.exec("SELECT ?", 1, 2)),
      await outcome(() => sql.exec("nonsense")),
      await outcome(() => sql.exec("SELECT * FROM nowhere")),
      await outcome(() => sql.exec("INSERT INTO t VALUES (1, 'again')")),
      await outcome(() => sql.exec("BEGIN"))];
  }
  async section(fails) {
    return this.ctx.blockConcurrencyWhile(async () => {
      await this.ctx.storage.put("inside", fails);
      if (fails) throw new Error("inside");
      return "its value";
    });
  }
  inside() { return this.ctx.storage.get("inside"); }
  entries() {
    const kv = this.ctx.storage.kv;
    for (const key of ["b", "a", "aa", "c"]) kv.put(key, key + "!");
    return [kv.get("a"), kv.get("none") ?? null, [...kv.list()], [...kv.list({ prefix: "a", reverse: true })],
      kv.delete("a"), kv.delete("a"), [...kv.list({ limit: 2 })].length];
  }
  async transactions() {
    const storage = this.ctx.storage;
    const found = [await outcome(() => storage.transactionSync(() => { storage.kv.put("s", 1); throw new Error("back"); })),
      storage.kv.get("s") ?? null, storage.transactionSync(() => { storage.kv.put("s", 2); return "done"; }),
      storage.kv.get("s"),
      await outcome(() => storage.transaction(async (txn) => { await txn.put("s", 3); throw new Error("back"); })),
      await storage.get("s"),
      await storage.transaction(async (txn) => { await txn.put("s", 4); txn.rollback(); return "rolled back"; }),
      await storage.get("s"), await storage.transaction(async (txn) => { await txn.put("s", 5); return txn.get("s"); })];
    return found;
  }
}

let ready = false;

export class Frail extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    if (!ready) throw new Error("not ready");
  }
  ping() { return "pong"; }
}

export class Empty extends DurableObject {}

export class Odd extends DurableObject { async fetch() { return "no response"; } }

const SCENARIOS = {
  async ids(env) {
    const id = env.ROOM.idFromName("a"), again = env.ROOM.idFromString(id.toString());
    return [id.toString(), id.name, id.equals(env.ROOM.idFromName("a")), id.equals(env.ROOM.idFromName("b")),
      again.equals(id), again.name ?? null, env.ROOM.newUniqueId().toString().length,
      await outcome(() => env.ROOM.idFromString("xyz")),
      await outcome(() => env.ROOM.idFromString(env.EMPTY.idFromName("a").toString()))];
  },
  async names(env) {
    const room = env.ROOM.getByName("named");
    return [await room.ownName(), await room.ownId() === env.ROOM.idFromName("named").toString(), room.name ?? null];
  },
  async errors(env) {
    const room = env.ROOM.getByName("errors");
    return [await outcome(() => room.fail()), await outcome(() => room.failLate()), await room.kept(),
      await outcome(() => room._underscore())];
  },
  async reserved(env) {
    const room = env.ROOM.getByName("reserved"), found = [];
    for (const name of NAMES) found.push([name, await outcome(() => room[name]())]);
    return found;
  },
  async targets(env) {
    const room = env.ROOM.getByName("targets"), item = await room.item();
    return [await item.double(4), await item.name, await room.item().double(5), await room.item().name,
      await (await room.multiply())(2), await room.each((number) => number + 10),
      await outcome(() => item.alarm()), await outcome(() => item.webSocketMessage())];
  },
  async aborts(env) {
    const room = env.ROOM.getByName("aborts"), later = env.ROOM.getByName("aborts");
    return [await outcome(() => room.giveUp("the reason")), await outcome(() => room.lost()),
      await outcome(() => env.ROOM.getByName("aborts").lost()),
      await outcome(() => env.ROOM.getByName("aborts").giveUp())];
  },
  async order(env) {
    const room = env.ROOM.getByName("order");
    return Promise.all([room.next(), room.next(), room.next(), room.next()]);
  },
  async alarms(env) { return env.ROOM.getByName("alarms").alarms(); },
  async lists(env) { return env.ROOM.getByName("lists").lists(); },
  async sql(env) { return env.ROOM.getByName("sql").sql(); },
  async transactions(env) { return env.ROOM.getByName("transactions").transactions(); },
  async entries(env) { return env.ROOM.getByName("entries").entries(); },
  async constructors(env) {
    const before = env.FRAIL.getByName("a");
    const failures = [await outcome(() => before.ping()), await outcome(() => before.ping())];
    ready = true;
    return [...failures, await outcome(() => before.ping()), await outcome(() => env.FRAIL.getByName("a").ping())];
  },
  async sections(env) {
    const room = env.ROOM.getByName("sections");
    return [await outcome(() => room.section(false)), await outcome(() => room.section(true)),
      await outcome(() => room.inside()), await outcome(() => env.ROOM.getByName("sections").inside())];
  },
  async fetches(env) {
    return [await outcome(() => env.EMPTY.getByName("a").fetch("http://x/")),
      await outcome(() => env.ODD.getByName("a").fetch("http://x/"))];
  },
  async sockets(env) {
    const room = env.ROOM.getByName("sockets");
    const response = await room.fetch("http://x/", { headers: { upgrade: "websocket" } });
    const socket = response.webSocket, heard = [];
    let wake = () => {};
    socket.addEventListener("message", (event) => { heard.push(JSON.parse(event.data)); wake(); });
    socket.addEventListener("close", (event) => { heard.push([event.code, event.reason, event.wasClean]); wake(); });
    const until = async (count) => { while (heard.length < count) await new Promise((resolve) => (wake = resolve)); };
    socket.accept();
    socket.send("facts");
    await until(1);
    socket.send("codes");
    await until(2);
    socket.send("close");
    await until(3);
    socket.close(4001, "asked");
    await scheduler.wait(50);
    return [response.status, ...heard, (await room.closed()) ?? null, await outcome(() => socket.send("late"))];
  },
};

export default {
  async fetch(request, env) {
    const results = {};
    for (const [name, run] of Object.entries(SCENARIOS)) results[name] = await run(env);
    return Response.json(results);
  },
};
