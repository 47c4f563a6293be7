// Clients that go between any request and its reply, where sessions may be claimed: what was asked is done or not, but the session
// that comes back is whole, and when nobody comes back nothing is left.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { openPeer } from './lib/peer.mjs';
import { offer } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';

let server;
let witness;
let feed;
let peer;

before(async () => {
  server = await startServer({ name: 'api-reclaim', core: { general: { reclaim_session_timeout: 4, session_timeout: 60 } }, rooms: { 'room-1': { publishers: 500 } } });
  witness = await server.connect();
  const handle = await (await witness.session()).attach(ROOM);
  feed = (await handle.message({ request: 'join', room: 1, ptype: 'publisher' })).data.id;
  peer = await openPeer();
  await peer.connect((await handle.message({ request: 'publish' }, peer.offer())).jsep.sdp);
  await handle.next(m => m.janus === 'webrtcup');
});

after(async () => {
  peer?.close();
  witness?.close();
  await server?.stop();
});

/* What the handle is before the request, and the request. */
const body = b => () => ({ janus: 'message', body: b });
const CASES = {
  attach: [ROOM, null, () => ({ janus: 'attach', plugin: ROOM, handle_id: undefined })],
  keepalive: [ROOM, null, () => ({ janus: 'keepalive' })],
  trickle: [ECHO, null, () => ({ janus: 'trickle', candidate: { completed: true } })],
  'an echo test': [ECHO, null, body({ audio: true })],
  'an offer': [ECHO, null, () => ({ janus: 'message', body: { audio: true }, jsep: offer() })],
  'hangup of a call': [ECHO, h => h.message({ audio: true }, offer()), () => ({ janus: 'hangup' })],
  'detach of a call': [ECHO, h => h.message({ audio: true }, offer()), () => ({ janus: 'detach' })],
  'a renegotiation': [ECHO, h => h.message({ audio: true }, offer()), () => ({ janus: 'message', body: { audio: true }, jsep: offer({ version: 3 }) })],
  join: [ROOM, null, body({ request: 'join', room: 1, ptype: 'publisher' })],
  publish: [ROOM, h => h.message({ request: 'join', room: 1, ptype: 'publisher' }), () => ({ janus: 'message', body: { request: 'publish' }, jsep: offer() })],
  leave: [ROOM, h => h.message({ request: 'join', room: 1, ptype: 'publisher' }), body({ request: 'leave' })],
  unpublish: [ROOM, h => h.message({ request: 'joinandconfigure', room: 1, ptype: 'publisher' }, offer()), body({ request: 'unpublish' })],
  'a subscription': [ROOM, null, () => ({ janus: 'message', body: { request: 'join', room: 1, ptype: 'subscriber', streams: [{ feed }] } })],
  update: [ROOM, h => h.message({ request: 'join', room: 1, ptype: 'subscriber', streams: [{ feed }] }), () => ({ janus: 'message', body: { request: 'update', unsubscribe: [{ feed }] } })],
  'a list': [ROOM, null, body({ request: 'list' })],
};

describe('between a request and its reply', { skip: IS_REFERENCE && 'what is in flight may be lost there' }, () => {
  for (const [name, [plugin, prepare, make]] of Object.entries(CASES))
    test(`${name}: the session is claimed and whole`, async () => {
      for (let round = 0; round < 8; round++) {
        const first = await server.connect();
        const session = await first.session();
        const handle = await session.attach(plugin);
        if (prepare)
          await prepare(handle);
        first.send(JSON.stringify({ transaction: 'gone', session_id: session.id, handle_id: handle.id, ...make() }));
        if (round % 4 > 1)
          await sleep(round);
        await first[round % 2 ? 'vanish' : 'close']();

        const second = await server.connect();
        assert.equal((await second.request({ janus: 'claim', session_id: session.id })).janus, 'success');
        const alive = await second.request({ janus: 'keepalive', session_id: session.id, handle_id: handle.id });
        assert.ok(alive.janus === 'ack' || (name.startsWith('detach') && alive.error.code === 459), JSON.stringify(alive));
        const again = await second.request({ janus: 'attach', session_id: session.id, plugin: ECHO });
        assert.equal(again.janus, 'success');
        second.send({ janus: 'message', transaction: 'fresh', session_id: session.id, handle_id: again.data.id, body: { audio: true }, jsep: offer() });
        const event = await second.next(m => m.transaction === 'fresh' && m.janus === 'event');
        assert.equal(event.jsep.type, 'answer');
        assert.deepEqual(second.take(m => m.transaction === 'gone').filter(m => m.janus !== 'event'), [], 'no direct reply goes to somebody else');
        if (round % 2)
          assert.equal((await second.request({ janus: 'destroy', session_id: session.id })).janus, 'success');
        second.close();
      }
    });

  test('and those that nobody claims again are gone from the room in their time', async () => {
    const handle = await (await witness.session()).attach(ROOM);
    for (let i = 0; ; i++) {
      const { participants } = await handle.sync({ request: 'listparticipants', room: 1 });
      if (participants.length === 1 && participants[0].id === feed)
        break;
      assert.ok(i < 90, JSON.stringify(participants));
      await sleep(100);
    }
  });
});
