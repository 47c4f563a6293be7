// The stage on which a scenario plays against one server: clients, handles and peers with names, and the transcript of it all.
//
//   const a = await t.attach('a');                                  a handle of VideoRoom, on the first client
//   const { id } = await a.ask({ request: 'join', ... });           sends, waits for the whole answer, gives its data (and jsep)
//   await a.publish();  await b.subscribe(room, [...]);             the same with a peer whose PeerConnection comes up
//   await b.hears('unpublished');                                   waits for an event that nobody asked for
//   await t.api({ janus: 'ping' });  await t.raw('{"janus":');      what the core itself answers
//
// Every request is a step of the transcript, with all that came back for it; events stand in a list of their handle, in order.
// Nothing here fails: an answer that does not come is written down as silence, a server that dies ends the scenario.

import { connect } from '../../api/lib/client.mjs';
import { encode } from '../../api/lib/fields.mjs';
import { openPeer } from '../../api/lib/peer.mjs';

export const VIDEOROOM = 'janus.plugin.videoroom', ECHOTEST = 'janus.plugin.echotest', TEXTROOM = 'janus.plugin.textroom';

const DIRECT = new Set(['success', 'ack', 'error', 'pong', 'server_info']);
const SILENCE_MS = 3000;                   /* an answer that has not come by then does not come */
const QUIET_MS = 150;                      /* nothing for so long: whatever was under way has arrived */
const PING_MS = 3000;

/* The server has died or does not answer anybody: how. The scenario is over. */
export class ServerGone extends Error {}

export class Stage {
  constructor(server) {
    this.server = server;
    this.steps = [];
    this.events = {};                      /* handle's or client's name: [messages] */
    this.names = new Map();                /* numbers and texts that the server drew: what they are called */
    this.sent = new Set();                 /* numbers of ours, which stay as they are */
    this.byTransaction = new Map();
    this.rooms = new Map();                /* to be destroyed when all is over: id, secret */
    this.peers = [];
    this.clients = [];
    this.lastArrival = 0;
  }

  /* ---- who plays ---- */

  async client(name = `client ${this.clients.length + 1}`, options) {
    const connection = new Connection(this, name, await connect(this.server.ws, options));
    this.clients.push(connection);
    return connection;
  }

  async #first() {
    return this.clients[0] ?? this.client('client');
  }

  async attach(name, plugin = VIDEOROOM, more) {
    return (await this.#first()).attach(name, plugin, more);
  }

  async api(message, label) {
    return (await this.#first()).api(message, label);
  }

  async raw(text, label) {
    return (await this.#first()).raw(text, label);
  }

  /* A room of a scenario: by default one that takes what our peers offer. */
  async room(id, more = {}, by) {
    const handle = by ?? await this.attach('maker');
    const data = await handle.ask({ request: 'create', room: id, publishers: 10, videocodec: 'vp8,h264', audiocodec: 'opus,pcmu', ...more });
    return data.room ?? id;
  }

  /* ---- steps ---- */

  begin(label, connection, transaction) {
    const step = { label, answers: [], connection, look: () => {} };
    this.steps.push(step);
    if (transaction !== undefined)
      this.byTransaction.set(transaction, step);
    return step;
  }

  /* Until `isDone(step)`; silence is written down. */
  async finish(step, isDone, ms = SILENCE_MS) {
    if (!isDone(step))
      await new Promise(done => {
        const timer = setTimeout(done, ms);
        step.look = () => { if (isDone(step) || step.connection.isClosed) { clearTimeout(timer); done(); } };
        step.look();
      });
    step.look = () => {};
    if (isDone(step))
      return step;
    await this.#orGone(step);
    step.answers.push(step.connection.isClosed ? { closed: step.connection.closedWith } : { silence: true });
    return step;
  }

  async #orGone(step) {
    if (step.connection.isClosed)
      await new Promise(done => setTimeout(done, 300));                      /* the process ends a little later than its sockets */
    if (this.server.hasEnded() !== null)
      throw new ServerGone('crashes');
    const answered = await connect(this.server.ws).then(async probe => {
      const pong = await probe.request({ janus: 'ping' }, PING_MS).catch(() => null);
      probe.close();
      return pong !== null;
    }).catch(() => false);
    if (!answered)
      throw new ServerGone(this.server.hasEnded() !== null ? 'crashes' : 'hangs');
  }

  arrived(connection, text) {
    this.lastArrival = Date.now();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      message = { unparsable: text };
    }
    const step = this.byTransaction.get(message.transaction) ?? (DIRECT.has(message.janus) ? connection.pending : undefined);
    if (step !== undefined) {
      step.answers.push(message);
      if (step.keepText)
        (step.texts ??= []).push(text);
      step.look();
      return;
    }
    const name = this.names.get(message.sender) ?? connection.name;
    (this.events[name] ??= []).push(message);
    connection.handles.get(name)?.unheard.push(message);
    for (const look of [...connection.listeners])
      look();
  }

  /* ---- the end ---- */

  async quiet(ms = QUIET_MS, most = 2000) {
    for (const end = Date.now() + most; Date.now() < end;) {
      const wait = this.lastArrival + ms - Date.now();
      if (wait <= 0)
        return;
      await new Promise(done => setTimeout(done, wait));
    }
  }

  async settle() {
    this.lastArrival = Date.now();
    await this.quiet();
    if (this.server.hasEnded() !== null)
      throw new ServerGone('crashes');
  }

  transcript(ended) {
    return { ended, steps: this.steps, events: this.events };
  }

  close() {
    for (const peer of this.peers)
      peer.close();
    for (const { client } of this.clients)
      client.close();
  }

  async cleanUp() {
    if (this.server.hasEnded() === null) {
      const broom = await connect(this.server.ws);
      const session = await broom.session();
      const handle = await session.attach(VIDEOROOM);
      for (const [room, secret] of this.rooms)
        await handle.sync({ request: 'destroy', room, ...(secret !== undefined && { secret }) }).catch(() => {});
      await session.destroy();
      broom.close();
    }
  }
}

const hasDirect = step => step.answers.some(m => DIRECT.has(m.janus));
const hasEvent = step => step.answers.some(m => m.janus === 'event');
const isAnswered = step => hasDirect(step) && (hasEvent(step) || !step.answers.some(m => m.janus === 'ack') || !step.isMessage);

class Connection {
  constructor(stage, name, client) {
    this.stage = stage;
    this.name = name;
    this.client = client;
    this.handles = new Map();
    this.listeners = new Set();
    this.isClosed = false;
    client.socket.on('message', data => stage.arrived(this, String(data)));
    client.closed.then(({ code }) => {
      this.isClosed = true;
      this.closedWith = code;
      for (const step of stage.steps)
        step.look();
      for (const look of [...this.listeners])
        look();
    });
  }

  /* A request with a transaction of its own. */
  async api(message, label = message.janus, ms) {
    const { stage } = this;
    const transaction = `t${stage.steps.length}`;
    const step = stage.begin(label, this, transaction);
    this.pending = step;
    step.isMessage = message.janus === 'message';
    const text = encode({ transaction, ...message });
    this.#ours(text);
    this.client.send(text);
    await stage.finish(step, isAnswered, ms);
    this.pending = undefined;
    const answer = step.answers.findLast(m => m.janus !== 'ack') ?? step.answers[0];
    if (['create', 'attach'].includes(message.janus) && answer?.data?.id !== undefined && answer.data.id !== message.id)
      stage.names.set(answer.data.id, `${message.janus === 'create' ? 'session' : 'handle'} of step ${stage.steps.length}`);
    return answer;
  }

  /* A text as it is, whose answer may have no transaction. */
  async raw(text, label = String(text).slice(0, 60), { keepText = false } = {}) {
    const step = this.stage.begin(label, this);
    step.keepText = keepText;
    step.isExact = true;
    this.pending = step;
    this.#ours(String(text));
    this.client.send(text);
    await this.stage.finish(step, hasDirect);
    this.pending = undefined;
    return step.answers[0];
  }

  #ours(text) {
    for (const [number] of text.matchAll(/\d{6,}/g))
      if (!this.stage.names.has(Number(number)))
        this.stage.sent.add(number);
  }

  async session(more = {}) {
    const reply = await this.api({ janus: 'create', ...more });
    const id = reply.data?.id;
    this.stage.names.set(id, `session of ${this.name}`);
    this.sessionId ??= id;
    return id;
  }

  async attach(name, plugin = VIDEOROOM, more = {}) {
    this.sessionId ?? await this.session();
    const reply = await this.api({ janus: 'attach', session_id: this.sessionId, plugin, ...more }, `attach ${name}`);
    const handle = new Handle(this, name, reply.data?.id);
    this.stage.names.set(handle.id, name);
    this.handles.set(name, handle);
    return handle;
  }

  request(message, label) {
    return this.api({ session_id: this.sessionId, ...message }, label);
  }

  vanish() {
    return this.client.vanish();
  }
}

class Handle {
  constructor(connection, name, id) {
    Object.assign(this, { connection, stage: connection.stage, name, id, unheard: [], peer: undefined });
  }

  request(message, label = `${this.name}: ${message.janus}`, ms) {
    return this.connection.api({ session_id: this.connection.sessionId, handle_id: this.id, ...message }, label, ms);
  }

  detach() { return this.request({ janus: 'detach' }); }
  hangup() { return this.request({ janus: 'hangup' }); }
  trickle(candidate) { return this.request({ janus: 'trickle', candidate }); }

  /* The plugin's data, and the jsep with it. */
  async ask(body, jsep, label = `${this.name}: ${body?.request ?? 'message'}`, ms) {
    const answer = await this.request({ janus: 'message', body, ...(jsep !== undefined && { jsep }) }, label, ms);
    const data = answer?.plugindata?.data ?? {};
    this.#learn(data, body, answer);
    return { ...data, ...(answer?.jsep && { jsep: answer.jsep }) };
  }

  #learn(data, body) {
    const { names, rooms, sent } = this.stage;
    const call = (value, what) => { if ((typeof value === 'string' || value > 1000) && !sent.has(String(value)) && value !== body.id) names.set(value, what); };
    for (const { stream_id } of data.forwarders ?? [])
      call(stream_id, 'a stream');
    if (body.request === 'add_remote_publisher')
      for (const port of [data.port, data.rtcp_port])
        call(port, 'a port');
    if (data.videoroom === 'joined') {
      call(data.id, `id of ${this.name}`);
      call(data.private_id, `private id of ${this.name}`);
    } else if (data.videoroom === 'created') {
      if (typeof data.room === 'string' || Number.isSafeInteger(data.room))
        rooms.set(data.room, body.secret);
      if (body.room !== data.room)
        call(data.room, `room of step ${this.stage.steps.length}`);
    }
  }

  /* key: of the plugin's data, or the value of `videoroom`, or a core event's name. */
  async hears(key, ms = SILENCE_MS) {
    const { stage, connection, unheard } = this;
    const fits = m => m.janus === key || m.plugindata?.data[key] !== undefined || m.plugindata?.data.videoroom === key;
    const step = stage.begin(`${this.name} hears ${key}`, connection);
    const index = () => unheard.findIndex(fits);
    if (index() < 0)
      await new Promise(done => {
        const look = () => { if (index() >= 0 || connection.isClosed) finish(); };
        const timer = setTimeout(() => finish(), ms);
        const finish = () => { clearTimeout(timer); connection.listeners.delete(look); done(); };
        connection.listeners.add(look);
        look();
      });
    if (index() < 0) {
      await stage.finish(step, () => false, 0);
      return {};
    }
    const [message] = unheard.splice(index(), 1);
    return { ...message.plugindata?.data, ...(message.jsep && { jsep: message.jsep }) };
  }

  async newPeer() {
    this.peer = await openPeer();
    this.stage.peers.push(this.peer);
    return this.peer;
  }

  /* media: the lines of the offer; the rest of `how` is laid beside type and sdp in the jsep. */
  async publish(body = {}, { media, sdp, ...jsep } = {}) {
    const peer = await this.newPeer();
    const offered = peer.offer(media && { media });
    const data = await this.ask({ request: 'publish', ...body }, { ...offered, ...jsep, ...(sdp && { sdp: sdp(offered.sdp) }) });
    await this.#up(data);
    return data;
  }

  /* Once more, on the PeerConnection that is there. */
  renegotiate(body = {}, { media, ...jsep } = {}) {
    this.version = (this.version ?? 2) + 1;
    return this.ask({ request: 'configure', ...body }, { ...this.peer.offer({ version: this.version, ...(media && { media }) }), ...jsep });
  }

  async subscribe(room, streams, more = {}) {
    return this.ask({ request: 'join', room, ptype: 'subscriber', streams, ...more });
  }

  /* Answers the server's offer, the first one with a new PeerConnection. */
  async answer({ jsep }, body = {}) {
    const isFirst = this.peer === undefined;
    const peer = this.peer ?? await this.newPeer();
    const data = await this.ask({ request: 'start', ...body }, jsep && peer.answer(jsep.sdp));
    if (isFirst)
      await this.#up({ jsep });
    return data;
  }

  async watch(room, streams, more) {
    const attached = await this.subscribe(room, streams, more);
    await this.answer(attached);
    return attached;
  }

  async #up({ jsep }) {
    if (jsep === undefined)
      return;
    await this.peer.connect(jsep.sdp).catch(error => this.stage.begin(`${this.name}: no PeerConnection`, this.connection).answers.push({ failed: error.message.split('\n')[0] }));
    await this.hears('webrtcup');
  }
}
