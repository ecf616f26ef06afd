// The page: the list of objects at the left, one of them at the right. Where one is stands in the address.

import {h} from './dom.js';
import {makeList} from './list.js';
import {openObject} from './object.js';

/** What the address says: class, name or id, and tab. */
const place = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

/** Go to an object, or with null back to the list. */
export const go = (to) => {
  location.hash = to === null ? '' : new URLSearchParams(to).toString();
};

const main = h('main', {class: 'main', id: 'object', tabindex: '-1'});
const list = makeList(go);
const layout = h('div', {class: 'layout'}, list.element, main);
document.body.append(
  h(
    'header',
    {class: 'top'},
    h('a', {class: 'brand', href: '#'}, h('img', {src: 'icon.svg', alt: '', width: '26', height: '26'}), h('span', {}, 'durabase'), h('em', {}, 'inspector')),
    list.totals,
  ),
  layout,
);

let opened = null;

const follow = () => {
  const at = place();
  const isObject = at.class !== undefined && (at.name !== undefined || at.id !== undefined);
  layout.classList.toggle('open', isObject);
  list.select(isObject ? at : null);
  const key = JSON.stringify([at.class, at.name, at.id]);
  if (opened?.key === key) {
    opened.showTab(at.tab);
    return;
  }
  opened?.close();
  opened = null;
  if (isObject) {
    opened = {key, ...openObject(main, at, go)};
    if (matchMedia('(max-width: 860px)').matches) main.focus();
  } else {
    main.replaceChildren(
      h('div', {class: 'empty'}, h('h2', {}, 'No object is open'), h('p', {}, 'Choose one from the list. Opening one starts it if it sleeps.')),
    );
  }
};

addEventListener('hashchange', follow);
addEventListener('keydown', (event) => {
  const isTyping = event.target.closest?.('input, textarea, select') !== null;
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    list.focusSearch();
  }
});
follow();
