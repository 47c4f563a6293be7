// A client of the Janus API as plain as can be: it sends what it is told, right or wrong, and keeps everything that comes back.
//
//   const client = await connect('ws://127.0.0.1:8188/');
//   const reply = await client.request({ janus: 'create' });         the direct reply, matched by transaction
//   const session = await client.session();
//   const handle = await session.attach('janus.plugin.echotest');
//   const { ack, event } = await handle.message({ audio: true });     both parts of an asynchronous request
//   await handle.next(m => m.janus === 'webrtcup');                   something nobody asked for

import WebSocket from 'ws';

const REPLY_MS = Number(process.env.CARDEA_REPLY_MS ?? 10000);
const DIRECT = new Set(['success', 'ack', 'error', 'pong', 'server_info']);

let counter = 0;

export class Client {
  constructor(socket) {
    this.socket = socket;
    this.inbox = [];                     /* everything that has come and nobody has taken */
    this.waiting = [];                   /* {want, done}: who waits for what */
    this.closed = new Promise(done => socket.once('close', (code, reason) => done({ code, reason: String(reason) })));
    this.isClosed = false;
    this.closed.then(how => {
      this.isClosed = true;
      for (const waiter of this.waiting.splice(0))
        waiter.fail(new Error(`the connection was closed (${how.code})`));
    });
    socket.on('message', data => this.#arrived(data));
    socket.on('error', () => {});        /* 'close' follows and tells all waiters */
  }

  #arrived(data) {
    const text = String(data);
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      message = { unparsable: text };
    }
    const index = this.waiting.findIndex(waiter => waiter.want(message));
    if (index >= 0)
      this.waiting.splice(index, 1)[0].done(message);
    else
      this.inbox.push(message);
  }

  /* The first message, come or to come, that `want` says yes to. It is taken out of the inbox. */
  next(want = () => true, ms = REPLY_MS, what = 'a message') {
    const index = this.inbox.findIndex(want);
    if (index >= 0)
      return Promise.resolve(this.inbox.splice(index, 1)[0]);
    if (this.isClosed)
      return Promise.reject(new Error(`the connection is closed; waited for ${what}`));
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(waiter), 1);
        fail(new Error(`${what} did not come within ${ms} ms; in the inbox: ${JSON.stringify(this.inbox).slice(0, 2000)}`));
      }, ms);
      const waiter = {
        want,
        done: message => { clearTimeout(timer); done(message); },
        fail: error => { clearTimeout(timer); fail(error); },
      };
      this.waiting.push(waiter);
    });
  }

  /* Nothing that `want` says yes to may come for `ms`. */
  async nothing(want = () => true, ms = 300) {
    const came = await this.next(want, ms).catch(() => null);
    if (came !== null)
      throw new Error(`came, though it should not have: ${JSON.stringify(came)}`);
  }

  take(want = () => true) {
    const taken = this.inbox.filter(want);
    this.inbox = this.inbox.filter(message => !taken.includes(message));
    return taken;
  }

  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  transaction() {
    return `t${++counter}`;
  }

  /* The direct reply to `message`; a transaction is added unless the message has one. */
  async request(message, ms = REPLY_MS) {
    const transaction = message.transaction ?? this.transaction();
    this.send({ transaction, ...message });
    return this.next(m => m.transaction === transaction && DIRECT.has(m.janus), ms, `the reply to ${JSON.stringify(message).slice(0, 300)}`);
  }

  /* A reply that can't be matched by transaction: sends, and takes the next error. */
  async refused(message, ms = REPLY_MS) {
    this.send(message);
    return this.next(m => m.janus === 'error', ms, `an error for ${String(typeof message === 'string' ? message : JSON.stringify(message)).slice(0, 300)}`);
  }

  async session(more = {}) {
    const reply = await this.request({ janus: 'create', ...more });
    if (reply.janus !== 'success')
      throw new Error(`create: ${JSON.stringify(reply)}`);
    return new Session(this, reply.data.id, more);
  }

  close() {
    this.socket.close();
    return this.closed;
  }

  /* The connection is cut without a word, as a phone in a tunnel does it (a reset, not a close frame). */
  vanish() {
    const tcp = this.socket._socket;
    if (tcp && typeof tcp.resetAndDestroy === 'function')
      tcp.resetAndDestroy();
    else
      this.socket.terminate();
    return this.closed;
  }
}

export class Session {
  constructor(client, id, auth = {}) {
    this.client = client;
    this.id = id;
    this.auth = Object.fromEntries(Object.entries(auth).filter(([k]) => k === 'token' || k === 'apisecret'));
  }

  request(message, ms) {
    return this.client.request({ session_id: this.id, ...this.auth, ...message }, ms);
  }

  async attach(plugin, more = {}) {
    const reply = await this.request({ janus: 'attach', plugin, ...more });
    if (reply.janus !== 'success')
      throw new Error(`attach: ${JSON.stringify(reply)}`);
    return new Handle(this, reply.data.id, plugin);
  }

  destroy() {
    return this.request({ janus: 'destroy' });
  }
}

export class Handle {
  constructor(session, id, plugin) {
    this.session = session;
    this.client = session.client;
    this.id = id;
    this.plugin = plugin;
  }

  request(message, ms) {
    return this.session.request({ handle_id: this.id, ...message }, ms);
  }

  isMine(message) {
    return message.sender === this.id && message.session_id === this.session.id;
  }

  next(want = () => true, ms = REPLY_MS, what = 'an event') {
    return this.client.next(m => this.isMine(m) && want(m), ms, what);
  }

  nothing(want = () => true, ms = 300) {
    return this.client.nothing(m => this.isMine(m) && want(m), ms);
  }

  /* A plugin event without a transaction whose data `want` says yes to. */
  async event(want = () => true, ms = REPLY_MS) {
    const message = await this.next(m => m.janus === 'event' && m.transaction === undefined && want(m.plugindata.data, m), ms, 'a plugin event');
    return message.plugindata.data;
  }

  /* A synchronous request: the plugin's data. */
  async sync(body) {
    const reply = await this.request({ janus: 'message', body });
    if (reply.janus !== 'success')
      throw new Error(`not a synchronous success: ${JSON.stringify(reply)}`);
    return reply.plugindata.data;
  }

  /* An asynchronous request: its ack, its event, and the event's data and jsep. */
  async message(body, jsep, ms = REPLY_MS) {
    const transaction = this.client.transaction();
    const ack = await this.request({ janus: 'message', transaction, body, ...(jsep !== undefined && { jsep }) }, ms);
    if (ack.janus !== 'ack')
      return { ack, event: null, data: ack.plugindata?.data, error: ack.error };
    const event = await this.next(m => m.janus === 'event' && m.transaction === transaction, ms, `the event for ${JSON.stringify(body).slice(0, 300)}`);
    return { ack, event, data: event.plugindata.data, jsep: event.jsep };
  }

  trickle(candidate) {
    return this.request({ janus: 'trickle', ...(Array.isArray(candidate) ? { candidates: candidate } : { candidate }) });
  }

  hangup() {
    return this.request({ janus: 'hangup' });
  }

  detach() {
    return this.request({ janus: 'detach' });
  }
}

/* Options: protocol (false: none), and whatever the WebSocket constructor takes. */
export function connect(url, { protocol = 'janus-protocol', ...more } = {}) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(url, protocol === false ? [] : protocol, { perMessageDeflate: false, maxPayload: 64 << 20, ...more });
    const client = new Client(socket);
    socket.once('open', () => done(client));
    socket.once('error', fail);
  });
}
