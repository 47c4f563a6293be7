// A text room without a page: one handle with a data channel (janus.plugin.textroom), requests matched by their transactions.
// What others say comes through the listener; texts that begin with FILE are not for people: files.js takes them.

import { attach, createAnswer, send } from './client.js';

const PLUGIN = 'janus.plugin.textroom';
const FILE = 'cardea-file:';
const HISTORY = 50;
const NO_SUCH_ROOM = 417, NAME_TAKEN = 420;

export class Chat {
  /* listener: said({from, name, text, date, own, old}), people(), file(from, message), ended(reason). */
  constructor({ room, name, pin }, listener) {
    this.room = room;
    this.name = name;
    this.pin = pin;
    this.listener = listener;
    this.id = `u${crypto.getRandomValues(new Uint32Array(2)).join('')}`;
    this.people = new Map();             /* user name -> shown name; ourselves not */
    this.isOpen = false;
  }

  #handle = null;
  #waiting = new Map();                  /* transaction -> {done, fail} */
  #counter = 0;
  #joined = false;

  get pc() { return this.#handle?.webrtcStuff?.pc ?? null; }

  /* Resolves when we are in the room. */
  async open(session) {
    let opened;
    const ready = new Promise((done, fail) => { opened = { done, fail }; });
    this.#handle = await attach(session, PLUGIN, {
      onmessage: (message, jsep) => {
        if (message.error_code !== undefined)
          opened.fail(new Error(message.error));
        if (jsep)
          this.#answer(jsep).catch(opened.fail);
      },
      ondataopen: () => opened.done(),
      ondata: text => this.#heard(text),
      oncleanup: () => this.#end('The chat’s connection has ended.'),
    });
    await send(this.#handle, { request: 'setup' });
    await ready;
    await this.#join();
    this.isOpen = true;
  }

  async #answer(jsep) {
    const answer = await createAnswer(this.#handle, { jsep, tracks: [{ type: 'data' }] });
    await send(this.#handle, { request: 'ack' }, answer);
  }

  /* The text room of a video room is made by whoever comes first. */
  async #join() {
    const body = { textroom: 'join', username: this.id, display: this.name, ...(this.pin && { pin: this.pin }) };
    try {
      this.#arrived(await this.#ask(body));
    } catch (error) {
      if (error.code !== NO_SUCH_ROOM)
        throw error;
      await this.#ask({ textroom: 'create', history: HISTORY, is_private: true, ...(this.pin && { pin: this.pin }) });
      this.#arrived(await this.#ask(body));
    }
  }

  #arrived({ participants }) {
    for (const { username, display } of participants)
      this.people.set(username, display ?? 'Guest');
    this.#joined = true;
    this.listener.people();
  }

  say(text) {
    return this.#ask({ textroom: 'message', text });
  }

  /* To people only, not kept by the room; who of them was there. */
  async tell(to, message) {
    const { sent } = await this.#ask({ textroom: 'message', text: FILE + JSON.stringify(message), tos: to });
    return to.filter(id => sent[id]);
  }

  #ask(body) {
    const transaction = `c${++this.#counter}`;
    return new Promise((done, fail) => {
      this.#waiting.set(transaction, { done, fail });
      this.#handle.data({
        text: JSON.stringify({ ...body, transaction, room: this.room }),
        error: reason => { this.#waiting.delete(transaction); fail(new Error(String(reason))); },
      });
    });
  }

  #heard(text) {
    const message = JSON.parse(text);
    const waiting = this.#waiting.get(message.transaction);
    if (waiting) {
      this.#waiting.delete(message.transaction);
      if (message.textroom === 'error')
        waiting.fail(Object.assign(new Error(message.error), { code: message.error_code, taken: message.error_code === NAME_TAKEN }));
      else
        waiting.done(message);
      return;
    }
    this.#happened(message);
  }

  #happened(message) {
    const { textroom, username, from, text } = message;
    if (textroom === 'join' && username !== this.id) {
      this.people.set(username, message.display ?? 'Guest');
      this.listener.people();
    } else if (textroom === 'leave' || textroom === 'kicked') {
      if (username === this.id && textroom === 'kicked')
        return this.#end('You were asked to leave the chat.');
      this.people.delete(username);
      this.listener.people();
    } else if (textroom === 'destroyed') {
      this.#end('The chat was closed.');
    } else if (textroom === 'message' && message.whisper && text.startsWith(FILE)) {
      this.listener.file(from, JSON.parse(text.slice(FILE.length)));
    } else if (textroom === 'message' || textroom === 'announcement') {
      const own = from === this.id;
      const name = own ? this.name : textroom === 'announcement' ? 'The room' : message.display ?? this.people.get(from) ?? 'Guest';
      this.listener.said({ from, name, text, date: new Date(message.date), own, old: !this.#joined });
    }
  }

  #end(reason) {
    for (const { fail } of this.#waiting.values())
      fail(new Error(reason));
    this.#waiting.clear();
    if (!this.isOpen)
      return;
    this.isOpen = false;
    this.listener.ended(reason);
  }

  close() {
    this.isOpen = false;
    this.#handle?.detach();
    this.#handle = null;
  }
}
