// The list of objects: by class and name, searched by the server, looked up again and again.

import {get} from './api.js';
import {bytes, fill, fromNow, h, plural, settled} from './dom.js';

const EVERY_MS = 2000;
const SHARE = 20; // at most this part of the time goes into looking up
const PAGE = 100;

const STATES = {
  awake: 'Live: it has an instance',
  starting: 'Starting',
  draining: 'About to hibernate',
  reset: 'Was reset',
  sleeping: 'Hibernates; its sockets are connected',
  stored: 'Not in memory',
};

/** The state in a word that people know: who sleeps with sockets differs from who is merely stored. */
export const stateOf = (listed) => (listed.state === 'asleep' ? (listed.sockets ? 'sleeping' : 'stored') : listed.state);

export const stateBadge = (listed) => {
  const state = stateOf(listed);
  return h('span', {class: `state ${state}`, title: STATES[state]}, state === 'awake' ? 'live' : state);
};

export const placeOf = (listed) => ({
  class: listed.class,
  ...(listed.name === null ? {id: listed.id} : {name: listed.name}),
});

export const titleOf = (listed) => (listed.name === null ? `${listed.id.slice(0, 12)}…` : listed.name === '' ? '(empty name)' : listed.name);

const byClassAndName = (a, b) => a.class.localeCompare(b.class) || titleOf(a).localeCompare(titleOf(b), undefined, {numeric: true});

export const makeList = (go) => {
  let limit = PAGE;
  let chosenClass = null;
  let selected = null;
  let timer;
  let asked = 0;

  const search = h('input', {type: 'search', placeholder: 'Search names   /', 'aria-label': 'Search names', oninput: settled(150, () => refresh())});
  const classes = h('div', {class: 'chips', role: 'group', 'aria-label': 'Classes'});
  const rows = h('ul', {class: 'objects'});
  const foot = h('div', {class: 'foot'});
  const totals = h('div', {class: 'totals', role: 'status'});
  const element = h('nav', {class: 'list', 'aria-label': 'Objects'}, h('div', {class: 'filters'}, search, classes), rows, foot);

  const row = (listed) => {
    const to = placeOf(listed);
    const isSelected = selected !== null && selected.class === to.class && selected.name === to.name && selected.id === to.id;
    const facts = [
      listed.sockets ? plural(listed.sockets, 'socket') : null,
      listed.file_bytes === null ? null : bytes(listed.file_bytes),
      listed.alarm === null ? null : `alarm ${fromNow(listed.alarm)}`,
    ].filter(Boolean);
    return h(
      'li',
      {},
      h(
        'a',
        {href: `#${new URLSearchParams(to)}`, class: 'object', 'aria-current': isSelected ? 'page' : null, data: {id: listed.id}},
        h('span', {class: 'line'}, h('span', {class: 'name', title: listed.name ?? listed.id}, titleOf(listed)), stateBadge(listed)),
        h('span', {class: 'line faint'}, h('span', {class: 'class'}, listed.class), h('span', {class: 'facts'}, facts.join(' · '))),
      ),
    );
  };

  const showClasses = (found) => {
    const chip = (name, label, count) =>
      h(
        'button',
        {
          class: 'chip',
          'aria-pressed': String(chosenClass === name),
          onclick: () => {
            chosenClass = name;
            refresh();
          },
        },
        label,
        h('b', {}, count.toLocaleString('en')),
      );
    const all = found.reduce((sum, each) => sum + each.objects, 0);
    fill(classes, chip(null, 'All', all), found.map((each) => chip(each.class, each.class, each.objects)));
    fill(totals, plural(all, 'object'), ' in ', found.length === 1 ? '1 class' : `${found.length} classes`);
  };

  const show = (found) => {
    const focused = rows.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    fill(rows, found.objects.toSorted(byClassAndName).map(row));
    if (focused !== null) rows.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    fill(
      foot,
      found.objects.length === 0 && h('p', {class: 'faint'}, search.value ? 'No name has this in it.' : 'There are no objects yet. They appear when the program uses them.'),
      found.cursor !== null && h('button', {class: 'button', onclick: () => { limit += PAGE; refresh(); }}, 'Show more'),
    );
  };

  const refresh = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    const began = performance.now();
    if (!document.hidden) {
      try {
        const [counted, found] = await Promise.all([get('classes'), get('objects', {class: chosenClass, search: search.value, limit})]);
        if (mine !== asked) return;
        element.classList.remove('stale');
        showClasses(counted.classes);
        show(found);
      } catch (error) {
        if (mine !== asked) return;
        element.classList.add('stale');
        fill(totals, h('span', {class: 'problem'}, error.status ? error.message : 'The server does not answer.'));
      }
    }
    timer = setTimeout(refresh, Math.max(EVERY_MS, (performance.now() - began) * SHARE));
  };

  search.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      rows.querySelector('a')?.[event.key === 'Enter' ? 'click' : 'focus']();
    }
  });
  rows.addEventListener('keydown', (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const links = [...rows.querySelectorAll('a')];
    (links[links.indexOf(document.activeElement) + step] ?? search).focus();
  });
  document.addEventListener('visibilitychange', () => document.hidden || refresh());
  refresh();
  return {
    element,
    totals,
    focusSearch: () => {
      if (element.offsetParent === null) go(null);
      search.focus();
    },
    select: (place) => {
      selected = place;
      refresh();
    },
  };
};
