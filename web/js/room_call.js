// A video room without a page: one handle that publishes, one that receives everybody (multistream, with `update`).
//
// What is received follows from two maps and one loop. `people` is who the room says is there, with their streams;
// `subscribed` is what the server last said it sends us. #reconcile sends one request for the difference and waits for its
// outcome before it looks again, so requests never overtake each other, whatever comes and goes meanwhile.

import { acceptAnswer, attach, createAnswer, createOffer, endSession, openSession, send } from './client.js';

const PLUGIN = 'janus.plugin.videoroom';
const RETRY_MS = 700;
const RETRIES_MAX = 6;

const ROOM_ERRORS = new Map([
  [426, 'There is no such room on this server.'],
  [429, 'This room asks for a PIN.'],
  [432, 'Everybody who may publish here already does; you can watch.'],
  [433, 'The PIN is wrong, or you are not on the list.'],
]);

export class RoomCall {
  /* options: server, room, name, tracks, codec, simulcast, pin. listener: people(), tracks(id), ended(reason, isFinal), warn(text). */
  constructor(options, listener) {
    this.options = options;
    this.listener = listener;
    this.people = new Map();             /* id -> {id, name, muted, streams: [{mid, type, codec}]} */
    this.subscribed = new Map();         /* mid of ours -> {feed, mid, type} */
    this.remoteTracks = new Map();       /* id -> {audio, video, audioMid, videoMid} */
    this.id = null;
    this.description = '';
    this.isPublishing = false;
    this.isOver = false;
    this.muted = { audio: false, video: false };
    this.#busy = false;
  }

  #session = null;
  #sender = null;
  #receiver = null;
  #privateId = null;
  #joined = null;                        /* {done, fail} while joining */
  #busy;                                 /* a request about subscriptions is under way */
  #retries = 0;
  #republished = 0;

  get session() { return this.#session; }
  get publisherPc() { return this.#sender?.webrtcStuff?.pc ?? null; }
  get subscriberPc() { return this.#receiver?.webrtcStuff?.pc ?? null; }

  async join() {
    this.#session = await openSession(this.options.server, reason => this.#end(reason, false));
    this.#sender = await attach(this.#session, PLUGIN, {
      onmessage: (message, jsep) => this.#onSender(message, jsep),
      webrtcState: (up, reason) => this.#onSenderState(up, reason),
    });
    const joined = new Promise((done, fail) => { this.#joined = { done, fail }; });
    await send(this.#sender, {
      request: 'join', ptype: 'publisher', room: this.options.room, display: this.options.name,
      metadata: { audio: !this.muted.audio, video: !this.muted.video }, ...(this.options.pin && { pin: this.options.pin }),
    });
    await joined;
    if (this.options.tracks.length > 0)
      await this.#publish();
  }

  async #publish() {
    const { tracks, codec, simulcast } = this.options;
    const jsep = await createOffer(this.#sender, {
      tracks: tracks.map(track => ({
        type: track.kind, capture: track, recv: false, dontStop: true, ...(track.kind === 'video' && simulcast && { simulcast: true }),
      })),
    });
    await send(this.#sender, { request: 'publish', ...(codec && { videocodec: codec }) }, jsep);
  }

  /* ---- the handle that publishes, and hears what goes on in the room ---- */

  #onSender(message, jsep) {
    if (message.error_code !== undefined)
      this.#onSenderError(message);
    if (message.videoroom === 'joined')
      this.#onJoined(message);
    else if (message.videoroom === 'destroyed')
      this.#end('The room was closed.', true);
    else if (message.videoroom === 'event')
      this.#onRoomEvent(message);
    if (jsep)
      acceptAnswer(this.#sender, jsep).catch(error => this.listener.warn(`The server’s answer was not understood: ${error.message}`));
  }

  #onSenderError({ error_code: code, error }) {
    const text = ROOM_ERRORS.get(code) ?? error;
    if (this.#joined)
      this.#joined.fail(new Error(text));
    else
      this.listener.warn(text);
  }

  #onJoined(message) {
    this.id = message.id;
    this.#privateId = message.private_id;
    this.description = message.description ?? '';
    for (const person of [...(message.publishers ?? []), ...(message.attendees ?? [])])
      this.#upsert(person);
    this.#joined?.done();
    this.#joined = null;
    this.listener.people();
    this.#reconcile();
  }

  #onRoomEvent(message) {
    for (const person of message.publishers ?? [])
      this.#upsert(person);
    if (message.joining)
      this.#upsert(message.joining);
    if (message.configured === 'ok')
      this.isPublishing = true;
    if (message.unpublished !== undefined && message.unpublished !== 'ok')
      this.#upsert({ id: message.unpublished, streams: [] });
    if (message.leaving === 'ok' && message.reason === 'kicked')
      return this.#end('You were asked to leave the room.', true);
    for (const gone of [message.leaving, message.kicked])
      if (gone !== undefined && gone !== 'ok')
        this.people.delete(gone);
    if (message.id !== undefined && (message.display !== undefined || message.metadata !== undefined) && this.people.has(message.id))
      this.#upsert(message);
    this.listener.people();
    this.#reconcile();
  }

  #upsert({ id, display, metadata, streams, dummy }) {
    if (id === this.id || dummy)
      return;
    const person = this.people.get(id) ?? { id, name: 'Guest', muted: { audio: false, video: false }, streams: [] };
    if (display !== undefined)
      person.name = display;
    if (metadata !== undefined)
      person.muted = { audio: metadata.audio === false, video: metadata.video === false };
    if (streams !== undefined)
      person.streams = streams.filter(s => !s.disabled && (s.type === 'audio' || s.type === 'video'));
    this.people.set(id, person);
  }

  /* The path broke but the room is still there: publish again. */
  #onSenderState(up, reason) {
    if (up || this.isOver || !this.isPublishing)
      return;
    this.isPublishing = false;
    if (++this.#republished > 3)
      return this.#end(`Your picture can’t be sent (${reason ?? 'the connection broke'}).`, false);
    setTimeout(() => {
      if (!this.isOver)
        this.#publish().catch(error => this.#end(error.message, false));
    }, RETRY_MS);
  }

  /* ---- the handle that receives ---- */

  #difference() {
    const wanted = [...this.people.values()].flatMap(p => p.streams.map(s => ({ feed: p.id, mid: s.mid })));
    const have = [...this.subscribed.values()];
    const same = (a, b) => a.feed === b.feed && a.mid === b.mid;
    return {
      add: wanted.filter(w => !have.some(h => same(w, h))),
      drop: [...this.subscribed].filter(([, h]) => !wanted.some(w => same(w, h))).map(([mid]) => mid),
    };
  }

  async #reconcile() {
    if (this.#busy || this.isOver || this.id === null)
      return;
    const { add, drop } = this.#difference();
    if (add.length === 0 && (drop.length === 0 || this.#receiver === null))
      return;
    this.#busy = true;
    try {
      if (this.#receiver === null || this.subscribed.size === 0 && !this.#receiver.isReady)
        await this.#subscribeFirst(add);
      else
        await send(this.#receiver, {
          request: 'update',
          ...(add.length > 0 && { subscribe: add }),
          ...(drop.length > 0 && { unsubscribe: drop.map(mid => ({ sub_mid: mid })) }),
        });
    } catch (error) {
      this.#later(error.message);
    }
  }

  async #subscribeFirst(streams) {
    if (streams.length === 0) {
      this.#busy = false;
      return;
    }
    if (this.#receiver === null) {
      const receiver = await attach(this.#session, PLUGIN, {
        onmessage: (message, jsep) => this.#onReceiver(receiver, message, jsep),
        onremotetrack: () => this.#collectTracks(),
        webrtcState: (up, reason) => { if (!up) this.#onReceiverLost(receiver, reason); },
      });
      receiver.isReady = false;
      this.#receiver = receiver;
    }
    await send(this.#receiver, {
      request: 'join', ptype: 'subscriber', room: this.options.room, streams, private_id: this.#privateId,
      ...(this.options.pin && { pin: this.options.pin }),
    });
  }

  async #onReceiver(receiver, message, jsep) {
    if (receiver !== this.#receiver || this.isOver)
      return;
    if (message.error_code !== undefined)
      return this.#later(message.error);       /* as a rule somebody who has just gone; the room tells us */
    if (message.videoroom === 'attached' || (message.videoroom === 'updated' && message.streams))
      this.subscribed = new Map(message.streams.filter(s => s.active && s.feed_id !== undefined)
        .map(s => [s.mid, { feed: s.feed_id, mid: s.feed_mid, type: s.type }]));
    if (jsep)
      return this.#answer(receiver, jsep);
    if (message.videoroom === 'updating')
      return;                                  /* the offer comes later */
    if (message.started === 'ok' || message.videoroom === 'updated') {
      const stuck = message.videoroom === 'updated' && this.#difference().add.length > 0;
      if (stuck)
        return this.#later('');
      this.#retries = 0;
      this.#busy = false;
      this.#reconcile();
    }
  }

  async #answer(receiver, jsep) {
    this.#busy = true;
    try {
      const answer = await createAnswer(receiver, { jsep });
      receiver.isReady = true;
      await send(receiver, { request: 'start', room: this.options.room }, answer);
      this.#collectTracks();
    } catch (error) {
      this.#later(error.message);
    }
  }

  #later(why) {
    if (++this.#retries > RETRIES_MAX) {
      if (why)
        this.listener.warn(`Somebody can’t be shown: ${why}`);
      this.#retries = 0;
      this.#busy = false;
      return;
    }
    setTimeout(() => {
      this.#busy = false;
      this.#reconcile();
    }, RETRY_MS);
  }

  #onReceiverLost(receiver, reason) {
    if (receiver !== this.#receiver || this.isOver)
      return;
    this.#receiver = null;
    receiver.detach();
    this.subscribed.clear();
    this.#busy = true;
    this.#collectTracks();
    this.#later(reason ?? '');
  }

  /* What the transceivers hold now, by person. Read from the PeerConnection, which is right whatever order events came in. */
  #collectTracks() {
    const transceivers = this.subscriberPc?.getTransceivers() ?? [];
    const now = new Map();
    for (const [mid, { feed, type }] of this.subscribed) {
      const track = transceivers.find(t => t.mid === mid)?.receiver.track;
      if (!track)
        continue;
      const entry = now.get(feed) ?? { audio: null, video: null, audioMid: null, videoMid: null };
      entry[type] ??= track;
      entry[`${type}Mid`] ??= mid;
      now.set(feed, entry);
    }
    const changed = new Set([...this.remoteTracks.keys(), ...now.keys()]);
    this.remoteTracks = now;
    for (const id of changed)
      this.listener.tracks(id);
  }

  /* ---- what the user does ---- */

  mute(kind, off) {
    this.muted[kind] = off;
    for (const track of this.options.tracks)
      if (track.kind === kind)
        track.enabled = !off;
    if (this.#sender && this.id !== null)
      send(this.#sender, { request: 'configure', metadata: { audio: !this.muted.audio, video: !this.muted.video } }).catch(() => {});
  }

  async leave() {
    if (this.isOver)
      return;
    this.isOver = true;
    if (this.#session)
      await endSession(this.#session);
  }

  #end(reason, isFinal) {
    if (this.isOver)
      return;
    this.isOver = true;
    this.#joined?.fail(new Error(reason));
    this.#joined = null;
    this.listener.ended(reason, isFinal);
    if (this.#session)
      endSession(this.#session);
  }
}
