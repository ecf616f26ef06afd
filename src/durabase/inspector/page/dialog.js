// What interrupts: questions before something is done for good, the token, and short notices.

import {fill, h} from './dom.js';

const ask = (build) =>
  new Promise((resolve) => {
    const dialog = h('dialog', {class: 'dialog'});
    const close = (result) => {
      dialog.close();
      dialog.remove();
      resolve(result);
    };
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      close(null);
    });
    fill(dialog, build(close));
    document.body.append(dialog);
    dialog.showModal();
  });

/**
 * Asks whether to go on.
 * @param {string} title @param {string} text @param {string} action what the button says
 * @returns {Promise<boolean>}
 */
export const confirmed = (title, text, action, isDangerous = true) =>
  ask((close) => [
    h('h2', {}, title),
    h('p', {}, text),
    h(
      'div',
      {class: 'row end'},
      h('button', {class: 'button', onclick: () => close(null)}, 'Cancel'),
      h('button', {class: `button ${isDangerous ? 'danger' : 'primary'}`, onclick: () => close(true)}, action),
    ),
  ]).then((result) => result === true);

/** Asks for the token of administrators, until one is given. */
export const askForToken = async () => {
  for (;;) {
    const token = await ask((close) => {
      const input = h('input', {type: 'password', name: 'token', autocomplete: 'off', 'aria-label': 'Token', autofocus: true});
      const submit = () => input.value && close(input.value);
      input.addEventListener('keydown', (event) => event.key === 'Enter' && submit());
      return [
        h('h2', {}, 'This server needs a token'),
        h('p', {}, 'It is what the server was started with as DURABASE_ADMIN_TOKEN. This tab remembers it until it is closed.'),
        h('div', {class: 'row'}, input, h('button', {class: 'button primary', onclick: submit}, 'Enter')),
      ];
    });
    if (token) return token;
  }
};

const NOTICE_MS = 5000;

/** Says something in passing. */
export const notice = (text, kind = 'good') => {
  let area = document.querySelector('.notices');
  if (area === null) {
    area = h('div', {class: 'notices', role: 'status', 'aria-live': 'polite'});
    document.body.append(area);
  }
  const element = h('div', {class: `notice ${kind}`}, text);
  area.append(element);
  setTimeout(() => element.remove(), NOTICE_MS);
};

/** Does something; says what came of it, or why it could not be done. */
export const attempt = async (action, done = '') => {
  try {
    const result = await action();
    if (done) notice(done);
    return result ?? true;
  } catch (error) {
    notice(error.message, 'bad');
    return undefined;
  }
};
