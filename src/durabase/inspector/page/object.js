// One object: what it is, and its tabs. Only the tab that is seen asks the server for anything.

import {get} from './api.js';
import {bytes, fill, fromNow, fullTime, h, plural} from './dom.js';
import {logTab} from './log.js';
import {manageTab} from './manage.js';
import {sqlTab} from './sql.js';
import {entriesTab} from './entries.js';
import {pastTab} from './past.js';
import {placeOf, stateBadge, titleOf} from './list.js';
import {storeTab} from './store.js';
import {wireTab} from './wire.js';

const EVERY_MS = 2000;

/**
 * What tabs are given of the object.
 * @typedef {{query: Record<string, string>, listed: any, shown: any, room: any, reload: () => Promise<void>}} Opened
 */

/** The tabs that an object has. Each has a title, and a function that fills an element and returns how to end. */
const tabsOf = (opened) => {
  const {shown, room} = opened;
  return [
    room.kind === 'store' && {id: 'store', title: 'Store', open: storeTab},
    room.kind !== 'none' && {id: 'wire', title: 'Wire', open: wireTab},
    {id: 'keys', title: `Keys ${shown.keys}`, open: entriesTab},
    shown.tables !== undefined && {id: 'sql', title: 'SQL', open: sqlTab},
    shown.storage === 'sqlite' && {id: 'history', title: 'History', open: pastTab},
    {id: 'log', title: 'Log', open: logTab},
    {id: 'manage', title: 'Manage', open: manageTab},
  ].filter(Boolean);
};

export const openObject = (main, place, go) => {
  const query = {class: place.class, ...(place.id === undefined ? {name: place.name} : {id: place.id})};
  const head = h('div', {class: 'head'});
  const bar = h('div', {class: 'tabs', role: 'tablist', 'aria-label': 'About this object'});
  const body = h('section', {class: 'body', role: 'tabpanel', id: 'panel'});
  let wanted = place.tab;
  let opened = null;
  let tab = null;
  let end = () => {};
  let isOver = false;
  let timer;

  const showHead = () => {
    const {listed, room, shown} = opened;
    const size = listed.file_bytes ?? shown.bytes ?? null;
    fill(
      head,
      h('a', {class: 'back', href: '#', 'aria-label': 'Back to the list'}, '‹ Objects'),
      h('div', {class: 'title'}, h('h1', {title: listed.name ?? listed.id}, titleOf(listed)), stateBadge(listed)),
      h(
        'dl',
        {class: 'facts'},
        fact('Class', listed.class),
        fact('Sockets', String(listed.sockets)),
        fact('Size', size === null ? (listed.has_stored_data ? 'shares a file' : 'nothing stored') : bytes(size)),
        fact('Next alarm', listed.alarm === null ? 'none' : fromNow(listed.alarm), listed.alarm === null ? '' : fullTime(listed.alarm)),
        room.kind !== 'none' && fact('Clients', plural(room.clients.length, 'client')),
        fact('Id', `${listed.id.slice(0, 10)}…`, listed.id),
      ),
    );
  };

  const showTabs = () => {
    const tabs = tabsOf(opened);
    const next = tabs.find((each) => each.id === wanted) ?? tabs[0];
    fill(
      bar,
      tabs.map((each) =>
        h(
          'a',
          {role: 'tab', href: `#${new URLSearchParams({...placeOf(opened.listed), tab: each.id})}`, 'aria-selected': String(each.id === next.id), 'aria-controls': 'panel', tabindex: each.id === next.id ? '0' : '-1'},
          each.title,
        ),
      ),
    );
    if (tab === next.id) return;
    tab = next.id;
    end();
    end = next.open(fill(body), opened) ?? (() => {});
  };

  /** All that is known of it; this starts the object if it sleeps. */
  const load = async () => {
    try {
      const [shown, room] = await Promise.all([get('object', query), get('object/store', query)]);
      if (isOver) return;
      opened = Object.assign(opened ?? {query}, {shown, listed: shown, room, reload: load});
      showHead();
      showTabs();
      fill(main, head, bar, body);
    } catch (error) {
      if (isOver) return;
      end();
      end = () => {};
      tab = null;
      fill(
        main,
        h(
          'div',
          {class: 'empty'},
          h('h2', {}, error.status === 404 ? 'It is not there' : 'It can’t be opened'),
          h('p', {class: 'problem'}, error.message),
          h('div', {class: 'row'}, h('a', {class: 'button', href: '#'}, 'All objects'), h('button', {class: 'button', onclick: load}, 'Try again')),
        ),
      );
    }
  };

  /** What can be told without starting it. */
  const look = async () => {
    if (!document.hidden && opened !== null) {
      try {
        const listed = await get('object/status', query);
        if (!isOver) {
          opened.listed = listed;
          showHead();
        }
      } catch {
        // it is gone, or the list says that the server does not answer
      }
    }
    if (!isOver) timer = setTimeout(look, EVERY_MS);
  };

  bar.addEventListener('keydown', (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (step === undefined) return;
    const links = [...bar.children];
    const next = links[(links.indexOf(document.activeElement) + step + links.length) % links.length];
    next.click();
    requestAnimationFrame(() => bar.querySelector('[aria-selected="true"]')?.focus());
  });
  fill(main, h('div', {class: 'empty', 'aria-busy': 'true'}, h('p', {class: 'faint'}, 'Opening …')));
  load().then(look); // by then it has started
  return {
    showTab: (id) => {
      wanted = id;
      if (opened !== null) showTabs();
    },
    close: () => {
      isOver = true;
      clearTimeout(timer);
      end();
    },
  };
};

const fact = (name, text, title = '') => h('div', {}, h('dt', {}, name), h('dd', {title: title || null}, text));
