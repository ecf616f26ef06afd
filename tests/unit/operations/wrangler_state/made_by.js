import {DurableObject} from "cloudflare:workers";
const made = (error, stack) => { delete error.stack; if (stack) error.stack = stack; return error; };
const values = () => {
  const cycle = {name: "cycle"}; cycle.self = cycle;
  const shared = [1]; 
  const sparse = [1,,3]; sparse.length = 5;
  const withProps = [1,2]; withProps.extra = "yes";
  const dense = [undefined, "hlc", 5];
  return {
    null: null, true: true, false: false, zero: 0, int: 42, neg: -7, big31: 2**31, max53: 2**53-1, min53: -(2**53-1),
    half: 0.5, e300: 1e300, nan: NaN, inf: Infinity, ninf: -Infinity, nzero: -0,
    bigint: 12345678901234567890n, bigneg: -(2n**200n), bigzero: 0n,
    empty: "", ascii: "text", latin: "caf\u00e9", wide: "\u20ac😀", lone: "a\ud800b", nul: "a\0b", long: "x".repeat(1000), longwide: "\u20ac".repeat(1001),
    date: new Date(1700000000123), badDate: new Date(NaN), oldDate: new Date(-1.5e12),
    regexp: /a+b/gi, map: new Map([["k", 1], [2, new Map([["x", null]])]]), set: new Set([1, "a", null]),
    buffer: new Uint8Array([1,2,3]).buffer, u8: new Uint8Array([0,255,7]), u8c: new Uint8ClampedArray([1,2]), i8: new Int8Array([-1,1]), u16: new Uint16Array([1,65535]), i16: new Int16Array([-2,2]),
    u32: new Uint32Array([1,4294967295]), i32: new Int32Array([-5,5]), f32: new Float32Array([1.5,-2]), f64: new Float64Array([1e300,-0.25]), b64: new BigInt64Array([-1n, 5n]), bu64: new BigUint64Array([2n**64n-1n]),
    view: new DataView(new Uint8Array([9,8,7,6]).buffer, 1, 2), slice: new Uint8Array(new Uint8Array([9,8,7,6]).buffer, 1, 2),
    sharedBuffer: (() => { const b = new Uint8Array([1,2,3,4]).buffer; return [new Uint8Array(b), new Uint16Array(b), b]; })(),
    error: made(new Error("plain"), "Error: plain\n    at somewhere"), typeError: made(new TypeError("typed")), rangeError: made(new RangeError("ranged")),
    caused: made(new Error("outer", {cause: made(new SyntaxError("inner"))})), namedError: made(Object.assign(new Error("m"), {name: "Custom"})),
    noMessage: made(new Error()),
    boxedTrue: Object(true), boxedFalse: Object(false), boxedNumber: Object(5.5), boxedString: Object("boxed"), boxedBigint: Object(7n),
    object: {a: 1, "b c": [1, {d: null}], 5: "five", "\u20ac": "euro"}, emptyObject: {}, array: [1, "two", [3.5]], emptyArray: [],
    undefinedInside: dense, undefinedMember: {a: undefined}, sparse, withProps, cycle, shared: {one: shared, two: shared},
    nested: {map: new Map([["date", new Date(0)]]), list: [new Set([new Uint8Array([1])])]},
    deepObjectList: Array.from({length: 300}, (_, i) => ({i})),
  };
};
class Base extends DurableObject {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname.endsWith("/fill")) {
      for (const [k, v] of Object.entries(values())) await this.ctx.storage.put(k, v);
      await this.ctx.storage.put("\u20ac key\u0000nul 😀", 1);
      await this.ctx.storage.setAlarm(4000000000123);
      if (url.searchParams.has("sql")) {
        this.ctx.storage.kv.put("kvUndefined", undefined);
        const s = this.ctx.storage.sql;
        s.exec(`CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE child (p REFERENCES parent(id), data BLOB, r REAL);
          CREATE INDEX by_name ON parent (name); CREATE VIEW names AS SELECT name FROM parent;
          CREATE TRIGGER tr AFTER DELETE ON child BEGIN UPDATE parent SET name = 'gone'; END;
          CREATE VIRTUAL TABLE docs USING fts5(text); INSERT INTO docs VALUES ('hello world')`);
        s.exec("INSERT INTO parent VALUES (?, ?)", 1, "one"); s.exec("INSERT INTO child VALUES (1, ?, 2.5)", new Uint8Array([0,1,255]).buffer);
      }
      await this.ctx.storage.sync();
      return new Response("filled " + this.ctx.id.toString());
    }
    if (url.pathname.endsWith("/sqlonly")) { this.ctx.storage.sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)"); return new Response("ok"); }
    return new Response("?");
  }
  async alarm() {}
}
export class Box extends Base {}
export class Plain extends Base {}
export default { async fetch(request, env) {
  const [ , ns, name] = new URL(request.url).pathname.split("/");
  const binding = env[ns];
  const stub = name === "unnamed" ? binding.get(binding.newUniqueId()) : binding.getByName(decodeURIComponent(name));
  return stub.fetch(request);
}};
