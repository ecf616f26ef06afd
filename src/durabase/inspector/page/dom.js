// Elements, and how numbers and times are written. Text is only ever set as text, so nothing that a server
// tells can become markup.

/**
 * Makes an element. `on…` are listeners, known properties are set, all else becomes an attribute.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children elements, texts, arrays of them; null and false are left out
 */
export const h = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name in element && typeof value !== 'string') element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== false && child !== undefined));
  return element;
};

/** Replaces all that an element has. */
export const fill = (element, ...children) => {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== false && child !== undefined));
  return element;
};

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** @param {number | null | undefined} count */
export const bytes = (count) => {
  if (count === null || count === undefined) return '–';
  let unit = 0;
  while (count >= 1000 && unit < UNITS.length - 1) {
    count /= 1000;
    unit++;
  }
  return `${unit && count < 10 ? count.toFixed(1) : Math.round(count)} ${UNITS[unit]}`;
};

export const plural = (count, noun) => `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

const pad = (number, length = 2) => String(number).padStart(length, '0');

/** The time of day, to the millisecond. */
export const clockTime = (ms) => {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
};

/** Date and time of day, of this time zone. */
export const fullTime = (ms) => {
  const date = new Date(ms);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clockTime(ms)}`;
};

const SPANS = [[31_557_600, 'y'], [86_400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];

/** How far a time is away: "in 5 min", "3 s ago". */
export const fromNow = (ms) => {
  const seconds = Math.round((ms - Date.now()) / 1000);
  const [size, unit] = SPANS.find(([size]) => Math.abs(seconds) >= size) ?? [1, 's'];
  const text = `${Math.floor(Math.abs(seconds) / size)} ${unit}`;
  return seconds > 0 ? `in ${text}` : seconds < 0 ? `${text} ago` : 'now';
};

/** A function that is called once things have been quiet for so long. */
export const settled = (milliseconds, action) => {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
};

const RESTS = 10;

/**
 * A function that has something done soon, however often it is called; not again before it has rested for
 * several times what it took, so that what is slow is done seldom.
 * @param {number} milliseconds how soon @param {() => Promise<any>} action
 */
export const paced = (milliseconds, action) => {
  let timer = null;
  let earliest = 0;
  const run = async () => {
    const began = performance.now();
    await action();
    const ended = performance.now();
    earliest = ended + (ended - began) * RESTS;
    timer = null;
    if (isWanted) call();
  };
  let isWanted = false;
  const call = () => {
    isWanted = timer !== null;
    timer ??= setTimeout(run, Math.max(milliseconds, earliest - performance.now()));
  };
  return call;
};

/** Hands a text to the browser as a file to keep. */
export const download = (name, blob) => {
  const url = URL.createObjectURL(blob);
  h('a', {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
};
