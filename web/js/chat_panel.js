// The chat beside the tiles: what was said, who offers which file, and how far it has come. Texts are shown as texts, never as HTML.

import { Chat } from './chat.js';
import { Files } from './files.js';

const $ = id => document.getElementById(id);
const LINES_MAX = 500;

const element = (tag, className, text) => {
  const e = document.createElement(tag);
  e.className = className;
  if (text !== undefined)
    e.textContent = text;
  return e;
};

const bytes = n => n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(0)} kB` : `${(n / 1e6).toFixed(1)} MB`;
const time = date => Number.isNaN(date.getTime()) ? '' : date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });

export class ChatPanel {
  constructor(options) {
    this.chat = new Chat(options, {
      said: said => this.#said(said),
      people: () => this.files.gone(id => this.chat.people.has(id)),
      file: (from, message) => this.files.heard(from, message),
      ended: reason => this.#note(reason),
    });
    this.files = new Files(this.chat, {
      offered: file => this.#offered(file),
      changed: file => this.#show(file),
      sending: upload => this.#sending(upload),
    });
    this.unread = 0;
    this.lines = [];                     /* what was said, for tests */
  }

  #rows = new Map();                     /* file id, or `id to` -> its row */

  async open(session) {
    $('chat-lines').replaceChildren();
    $('chat-form').onsubmit = event => { event.preventDefault(); this.#submit(); };
    $('chat-attach').onclick = () => $('chat-file').click();
    $('chat-file').onchange = () => this.#attach();
    try {
      await this.chat.open(session);
    } catch (error) {
      this.#note(`There is no chat here: ${error.message}`);
    }
    this.#enable(this.chat.isOpen);
  }

  #enable(on) {
    for (const id of ['chat-text', 'chat-send', 'chat-attach'])
      $(id).disabled = !on;
  }

  toggle(open = $('chat').hidden) {
    $('chat').hidden = !open;
    $('chat-toggle').setAttribute('aria-pressed', open);
    if (!open)
      return;
    this.#count(0);
    $('chat-lines').lastElementChild?.scrollIntoView({ block: 'end' });
    if (matchMedia('(hover: hover)').matches)
      $('chat-text').focus();            /* a phone's keyboard would hide what there is to read */
  }

  #count(unread) {
    this.unread = unread;
    $('chat-unread').textContent = unread > 0 ? String(Math.min(unread, 99)) : '';
    $('chat-unread').hidden = unread === 0;
  }

  #add(row) {
    const list = $('chat-lines'), atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.append(row);
    while (list.childElementCount > LINES_MAX)
      list.firstElementChild.remove();
    if (atEnd)
      row.scrollIntoView({ block: 'end' });
    return row;
  }

  #note(text) {
    this.#add(element('li', 'note', text));
    this.#enable(this.chat.isOpen);
  }

  #said({ name, text, date, own, old }) {
    const row = element('li', own ? 'said own' : 'said');
    const head = element('p', 'who');
    head.append(element('b', '', own ? 'You' : name), element('time', '', time(date)));
    row.append(head, element('p', 'text', text));
    this.#add(row);
    this.lines.push({ name, text, own, old });
    if ($('chat').hidden && !old && !own)
      this.#count(this.unread + 1);
  }

  async #submit() {
    const text = $('chat-text').value.trim();
    if (text === '')
      return;
    $('chat-text').value = '';
    try {
      await this.chat.say(text);
    } catch (error) {
      $('chat-text').value = text;       /* nothing of what was written is lost */
      this.#note(`Not sent: ${error.message}`);
    }
  }

  /* ---- files ---- */

  async #attach() {
    const [file] = $('chat-file').files;
    $('chat-file').value = '';
    if (file)
      await this.send(file);
  }

  async send(file) {
    const { id, reached } = await this.files.offer(file);
    const row = this.#fileRow(id, 'You', file.name, file.size);
    row.state.textContent = reached.length > 0 ? 'offered to everybody here' : 'nobody else is here';
    return id;
  }

  #fileRow(key, who, name, size) {
    const row = element('li', who === 'You' ? 'said own file' : 'said file'), head = element('p', 'who');
    const parts = {
      row, size, bar: document.createElement('progress'), state: element('span', 'state'), act: element('span', 'act'),
    };
    head.append(element('b', '', who), element('time', '', time(new Date())));
    parts.bar.max = Math.max(1, size);
    parts.bar.hidden = true;
    parts.bar.setAttribute('aria-label', `${name}, how much has come`);
    const line = element('p', 'text');
    line.append(element('span', 'name', name), element('span', 'size', bytes(size)));
    row.append(head, line, parts.bar, parts.state, parts.act);
    this.#rows.set(key, parts);
    this.#add(row);
    return parts;
  }

  #offered(file) {
    const row = this.#fileRow(file.id, this.chat.people.get(file.from) ?? 'Guest', file.name, file.size);
    const button = element('button', 'small', 'Get it');
    button.type = 'button';
    button.onclick = () => this.files.get(file.id);
    row.act.append(button);
    if ($('chat').hidden)
      this.#count(this.unread + 1);
  }

  #show(file) {
    const row = this.#rows.get(file.id);
    row.bar.hidden = file.state !== 'running';
    row.bar.value = file.received;
    row.state.textContent = file.state === 'running' ? `${bytes(file.received)} of ${bytes(file.size)}` : file.state === 'failed' ? 'It did not come through.' : '';
    row.act.hidden = file.state === 'running';
    if (file.state !== 'done')
      return;
    const link = element('a', 'small', 'Save');
    Object.assign(link, { href: file.url, download: file.name });
    row.act.replaceChildren(link);
  }

  #sending(upload) {
    const key = `${upload.id} ${upload.to}`, name = this.chat.people.get(upload.to) ?? 'Guest';
    const row = this.#rows.get(key) ?? this.#uploadRow(key, upload);
    row.bar.hidden = upload.state !== 'running';
    row.bar.value = upload.sent;
    row.state.textContent = upload.state === 'running' ? `to ${row.name}: ${bytes(upload.sent)}` : upload.state === 'done' ? `${row.name} has it` : `${row.name} did not get it`;
    row.name ??= name;
  }

  /* Below the row of our own offer: one for each who takes it. */
  #uploadRow(key, upload) {
    const row = { bar: document.createElement('progress'), state: element('span', 'state'), name: this.chat.people.get(upload.to) ?? 'Guest' };
    row.bar.max = Math.max(1, upload.file.size);
    row.bar.setAttribute('aria-label', `${upload.file.name} to ${row.name}`);
    this.#rows.get(upload.id)?.row.append(row.bar, row.state);
    this.#rows.set(key, row);
    return row;
  }

  close() {
    this.files.close();
    this.chat.close();
    this.#enable(false);
    this.#count(0);
  }

  report() {
    return {
      open: this.chat.isOpen, people: [...this.chat.people.values()], lines: this.lines, unread: this.unread,
      files: [...this.files.files.values()].map(({ id, name, size, received, state, url }) => ({ id, name, size, received, state, url })),
      uploads: [...this.files.uploads.values()].map(({ sent, state, file }) => ({ sent, state, name: file.name, size: file.size })),
    };
  }
}
