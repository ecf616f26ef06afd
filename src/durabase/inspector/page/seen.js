// What this page has seen of each cell and value: stamps that it asked for, and those on the wire.

const LIMIT = 20;
const seen = new Map();

const keyOf = (query, path) => JSON.stringify([query.class, query.name, query.id, ...path]);

/** Note what a cell or value was at some time. @param {any} thing with `stamp`, and `from` if that is known */
export const heard = (query, path, thing) => {
  if (!thing.stamp) return;
  const key = keyOf(query, path);
  const known = seen.get(key) ?? [];
  const same = known.find((each) => each.stamp.hlc === thing.stamp.hlc);
  if (same === undefined) known.push({...thing});
  else same.from ??= thing.from;
  known.sort((a, b) => (a.stamp.hlc < b.stamp.hlc ? 1 : -1));
  seen.set(key, known.slice(0, LIMIT));
};

/** The latest first. */
export const historyOf = (query, path) => seen.get(keyOf(query, path)) ?? [];
