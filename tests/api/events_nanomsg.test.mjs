// Events published by Nanomsg (event-handlers.md 5.5), heard by a subscriber that uses the library itself: groups, one by one, both modes.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { join } from 'node:path';

import { bridge } from './lib/bridge.mjs';
import { withHandlers } from './lib/collector.mjs';
import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';

const ours = { skip: IS_REFERENCE && 'not tried against the reference yet' };
const subscriber = (mode, address) => bridge(['python3', 'nanomsg_peer.py', 'sub', mode, address]);

/* Events of a session that comes and goes, until they are heard: a publisher waits for no subscriber. */
async function heard(server, peer, isEvent) {
  const client = await server.connect();
  for (let tries = 0; ; tries++) {
    const session = await client.session();
    await session.destroy();
    const came = await peer.next(isEvent, 300).catch(() => null);
    if (came !== null || tries === 40) {
      client.close();
      return came;
    }
  }
}

describe('the Nanomsg event handler', ours, () => {
  test('groups are arrays, to a subscriber that binds', async () => {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const peer = await subscriber('bind', address);
    const { core, files } = withHandlers({ nanomsgevh: { address } });
    const server = await startServer({ name: 'api-events-nanomsg', core, files });
    const group = await heard(server, peer, m => Array.isArray(m) && m.some(event => event.type === 1 && event.event.name === 'created'));
    assert.ok(group.length >= 1 && group.length <= 100);
    assert.ok(group.every(event => typeof event.emitter === 'string' && Number.isInteger(event.timestamp)));
    peer.close();
    await server.stop();
  });

  test('one by one, to a subscriber that connects', async () => {
    const { core, files } = withHandlers({ nanomsgevh: { address: 'ipc://events', mode: 'bind', grouping: false, events: 'sessions' } });
    const server = await startServer({ name: 'api-events-nanomsg', core, files });
    const peer = await subscriber('connect', `ipc://${join(server.dir, 'events')}`);
    const event = await heard(server, peer, m => m.type === 1 && m.event.name === 'destroyed');
    assert.deepEqual(Object.keys(event), ['emitter', 'type', 'timestamp', 'session_id', 'event']);
    assert.equal(peer.take(m => m.type !== 1).length, 0);
    peer.close();
    await server.stop();
  });

  test('without an address it is not running, and the server is', async () => {
    const { core, files } = withHandlers({ nanomsgevh: {} });
    const server = await startServer({ name: 'api-events-nanomsg', core, files });
    assert.match(server.log(), /Nanomsg event handler: address is missing/);
    await server.stop();
  });
});
