// The second post-mortem as a test: a hundred clients publish, unpublish, subscribe, leave, join again, kick, moderate, list and
// forward at once in one room. Every request is answered; what the room holds afterwards is what the transcript says; and when the
// last has left, nothing is left (the server checks its pools when it stops).
//
// STORM_SECONDS: how long; 10 without it, 5 with SHORT=1. STORM_SEED: the same choices again (not the same order of arrival).

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startServer } from './lib/server.mjs';
import { offer } from './lib/sdp.mjs';
import { openPeer } from './lib/peer.mjs';

const ROOM = 'janus.plugin.videoroom';
const CLIENTS = 100, WITH_MEDIA = 6;
const SECONDS = Number(process.env.STORM_SECONDS ?? (process.env.SHORT ? 5 : 10));
const SEED = Number(process.env.STORM_SEED ?? Date.now() % 100000);
const PATIENCE_MS = 30000;

let server, target;
const people = [], answered = { count: 0, worst: 0, what: '' };

before(async () => {
  server = await startServer({ name: 'api-storm', rooms: { 'room-1': { publishers: 200 } } });
  target = dgram.createSocket('udp4');
  await new Promise(done => target.bind(0, '127.0.0.1', done));
});

after(async () => {
  target?.close();
  for (const person of people)
    person.peer?.close();
  await server?.stop();
});

/* A small generator, so that a seed can be said (mulberry32). */
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = a + 0x6d2b79f5 | 0;
    let t = Math.imul(a ^ a >>> 15, 1 | a);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

async function timed(what, promise) {
  const began = performance.now(), got = await promise, took = performance.now() - began;
  answered.count++;
  if (took > answered.worst)
    Object.assign(answered, { worst: took, what });
  return got;
}

/* One client: a connection, a handle that joins and leaves and joins anew, and one that watches. */
class Person {
  constructor(index) {
    this.index = index;
    this.dice = random(SEED * 1000 + index);
    this.pick = n => Math.floor(this.dice() * n);
    this.id = null;
  }

  async open() {
    this.client = await server.connect();
    this.session = await this.client.session();
    this.alive = setInterval(() => this.client.take(m => m.janus === 'event' && m.transaction === undefined && !this.isOut(m)), 500);
    await this.join();
    return this;
  }

  isOut(message) {
    const data = message.plugindata?.data;
    return message.sender === this.handle?.id && data?.leaving === 'ok' && data.reason === 'kicked';
  }

  sync(body) {
    return timed(body.request, this.handle.sync({ room: 1, ...body }));
  }

  ask(body, jsep) {
    return timed(body.request, this.handle.message({ room: 1, ...body }, jsep, PATIENCE_MS));
  }

  async join() {
    this.handle = await this.session.attach(ROOM);
    const { data } = await this.ask({ request: 'join', ptype: 'publisher', display: `n${this.index}` });
    assert.equal(data.videoroom, 'joined', JSON.stringify(data));
    this.id = data.id;
    this.feeds = data.publishers.map(p => p.id);
    this.isUp = false;
  }

  /* Kicked, it says so before it is answered anything else; what it has published is gone then. */
  async again() {
    this.peer?.close();
    this.peer = null;
    await timed('detach', this.handle.detach());
    await this.join();
  }

  get isKicked() {
    return this.client.inbox.some(m => this.isOut(m));
  }

  async someone() {
    const { participants } = await this.sync({ request: 'listparticipants' });
    return participants[this.pick(participants.length)]?.id ?? 1;
  }

  async publish() {
    if (this.isUp)
      return;
    const media = [{ kind: 'audio', codecs: ['opus'] }, { kind: 'video', codecs: ['vp8'] }];
    if (this.index >= WITH_MEDIA) {
      await this.ask({ request: 'configure' }, offer({ media }));
      await timed('hangup', this.handle.hangup());
      return;
    }
    const peer = await openPeer();
    const { jsep, data } = await this.ask({ request: 'publish' }, peer.offer({ media }));
    if (data.error_code !== undefined) {
      peer.close();
      return;
    }
    this.peer = peer;
    try {
      await peer.connect(jsep.sdp);
      await this.handle.next(m => m.janus === 'webrtcup' || m.janus === 'hangup', PATIENCE_MS);
      this.isUp = !this.isKicked;
    } catch (error) {
      if (!this.isKicked)
        throw error;
    }
  }

  async unpublish() {
    if (!this.isUp)
      return;
    const { data } = await this.ask({ request: 'unpublish' });
    assert.ok(data.unpublished === 'ok' || this.isKicked, JSON.stringify(data));
    this.peer.close();
    this.peer = null;
    this.isUp = false;
  }

  async watch() {
    const watcher = await this.session.attach(ROOM), { participants } = await this.sync({ request: 'listparticipants' });
    const up = participants.filter(p => p.publisher);
    if (up.length > 0) {
      const { data } = await timed('join as subscriber', watcher.message({ request: 'join', ptype: 'subscriber', room: 1, streams: [{ feed: up[this.pick(up.length)].id }] }, undefined, PATIENCE_MS));
      assert.ok(data.videoroom === 'attached' || data.error_code === 428, JSON.stringify(data));
      if (data.videoroom === 'attached')
        await timed('leave as subscriber', watcher.message({ request: 'leave' }, undefined, PATIENCE_MS));
    }
    await timed('detach', watcher.detach());
  }

  async forward() {
    const publisher_id = await this.someone();
    const reply = await this.sync({ request: 'rtp_forward', publisher_id, host: this.pick(4) === 0 ? 'localhost' : '127.0.0.1', host_family: 'ipv4',
      streams: [{ mid: '0', port: target.address().port }, { mid: '1', port: target.address().port, rtcp_port: target.address().port }] });
    assert.ok(reply.videoroom === 'rtp_forward' || reply.error_code === 428, JSON.stringify(reply));
    if (reply.forwarders?.length > 0 && this.pick(2) === 0) {
      const stopped = await this.sync({ request: 'stop_rtp_forward', publisher_id, stream_id: reply.forwarders[0].stream_id });
      assert.ok(stopped.videoroom === 'stop_rtp_forward' || stopped.error_code === 428, JSON.stringify(stopped));
    }
  }

  async step() {
    const verbs = [() => this.publish(), () => this.publish(), () => this.unpublish(), () => this.watch(), () => this.forward(), () => this.sync({ request: 'listforwarders' }),
      () => this.sync({ request: 'listparticipants' }), () => this.sync({ request: 'list' }), () => this.ask({ request: 'configure', bitrate: 64000 + this.pick(1e6), display: `n${this.pick(9)}` }),
      async () => this.sync({ request: 'moderate', id: await this.someone(), mid: '0', mute: this.pick(2) === 0 }),
      async () => { if (this.pick(4) === 0) await this.sync({ request: 'kick', id: await this.someone() }); },
      async () => { if (this.pick(3) === 0) { await this.ask({ request: 'leave' }); await this.again(); } }];
    await verbs[this.pick(verbs.length)]();
    if (this.isKicked) {
      this.client.take(m => this.isOut(m));
      await this.again();
    }
  }
}

test(`${CLIENTS} clients in one room for ${SECONDS} s`, { timeout: (SECONDS + 120) * 1000 }, async () => {
  for (let i = 0; i < CLIENTS; i++)
    people.push(new Person(i));
  await Promise.all(people.map(person => person.open()));
  const end = Date.now() + SECONDS * 1000;
  await Promise.all(people.map(async person => {
    while (Date.now() < end)
      await person.step();
  }));

  /* Nobody does anything any more: kicks that were on their way arrive with the next answer. */
  await Promise.all(people.map(person => person.sync({ request: 'exists' })));
  await sleep(100);
  const inside = people.filter(person => !person.isKicked), { participants } = await people[0].sync({ request: 'listparticipants' });
  assert.deepEqual(participants.map(p => p.id).sort(), inside.map(p => p.id).sort(), `seed ${SEED}`);
  assert.deepEqual(participants.filter(p => p.publisher).map(p => p.id).sort(), inside.filter(p => p.isUp).map(p => p.id).sort(), `seed ${SEED}`);

  await Promise.all(people.map(person => person.ask({ request: 'leave' })));
  assert.deepEqual((await people[0].sync({ request: 'listparticipants' })).participants, []);
  assert.deepEqual((await people[0].sync({ request: 'listforwarders' })).publishers, []);
  await Promise.all(people.map(async person => {
    clearInterval(person.alive);
    await timed('destroy', person.session.destroy());
    await person.client.close();
  }));
  console.log(`    seed ${SEED}: ${answered.count} requests, all answered; the slowest (${answered.what}) in ${answered.worst.toFixed(0)} ms`);
});
