// Clients that go between any request and its reply, by a reset and by a close: nothing of them is left (issue, bad input and loss).

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startServer } from './lib/server.mjs';
import { offer } from './lib/sdp.mjs';

const ROOM = 'janus.plugin.videoroom';

let server;
let witness;                             /* a well-behaved client that must be served all the time */

before(async () => {
  server = await startServer({ rooms: { 'room-1234': { publishers: 6, notify_joining: true } } });
  witness = await server.connect();
});
after(async () => {
  await witness?.close();
  await server?.stop();
});
afterEach(async () => {
  assert.equal((await witness.request({ janus: 'ping' })).janus, 'pong', 'the server lives');
});

async function attached(plugin) {
  const client = await server.connect();
  const session = await client.session();
  return { client, session, handle: await session.attach(plugin) };
}

describe('clients that go', () => {
  const verbs = {
    create: () => ({ janus: 'create' }),
    attach: s => ({ janus: 'attach', session_id: s.session.id, plugin: ROOM }),
    destroy: s => ({ janus: 'destroy', session_id: s.session.id }),
    detach: s => ({ janus: 'detach', session_id: s.session.id, handle_id: s.handle.id }),
    join: s => ({ janus: 'message', session_id: s.session.id, handle_id: s.handle.id, body: { request: 'join', ptype: 'publisher', room: 1234, display: 'Ghost' } }),
    publish: s => ({ janus: 'message', session_id: s.session.id, handle_id: s.handle.id, body: { request: 'joinandconfigure', ptype: 'publisher', room: 1234 }, jsep: offer() }),
    hangup: s => ({ janus: 'hangup', session_id: s.session.id, handle_id: s.handle.id }),
    trickle: s => ({ janus: 'trickle', session_id: s.session.id, handle_id: s.handle.id, candidate: { completed: true } }),
  };

  for (const [name, make] of Object.entries(verbs))
    test(`between ${name} and its reply, by a reset and by a close`, async () => {
      for (let round = 0; round < 10; round++)
        for (const way of ['vanish', 'close']) {
          const state = await attached(ROOM);
          state.client.send({ transaction: 't', ...make(state) });
          if (round % 2 === 1)
            await sleep(round);
          await state.client[way]();
        }
    });

  test('nothing of them is left: no participant, no session', async () => {
    await sleep(500);
    const session = await witness.session();
    const handle = await session.attach(ROOM);
    assert.deepEqual((await handle.sync({ request: 'listparticipants', room: 1234 })).participants, []);
    await session.destroy();
  });
});
