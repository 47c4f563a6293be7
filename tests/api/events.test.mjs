// What event handlers are told (event-handlers.md 2, 3), by the handler that posts to a web server: every type, its shape and its order.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { openCollector, withHandlers } from './lib/collector.mjs';
import { startServer } from './lib/server.mjs';

const ECHO = 'janus.plugin.echotest';

const ENVELOPE = ['emitter', 'type', 'subtype', 'timestamp', 'session_id', 'handle_id', 'opaque_id', 'event'];
const keys = event => Object.keys(event).filter(key => key !== 'taken');

describe('sessions and handles', () => {
  let server, collector;

  before(async () => {
    collector = await openCollector();
    const { core, files } = withHandlers({ sampleevh: { backend: collector.url } });
    server = await startServer({ name: 'api-events', core: { general: { server_name: 'emitter-1' }, ...core }, files });
  });

  after(async () => {
    await server?.stop();
    await collector?.close();
  });

  test('the core tells that it has started, with the info document', async () => {
    const started = await collector.next(e => e.type === 256);
    assert.deepEqual(keys(started), ['emitter', 'type', 'subtype', 'timestamp', 'event']);
    assert.equal(started.emitter, 'emitter-1');
    assert.equal(started.subtype, 1);
    assert.equal(started.event.status, 'started');
    const { info } = started.event;
    assert.equal(Object.keys(info)[0], 'janus');
    assert.equal(info.janus, 'server_info');
    assert.equal(info.event_handlers, true);
    assert.equal(info.events['janus.eventhandler.sampleevh'].version, 1);
    assert.equal('transaction' in info, false);
    assert.ok(Math.abs(started.timestamp / 1000 - Date.now()) < 60000, 'wall clock, in microseconds');
  });

  test('a session and a handle, from their creation to their end', async () => {
    const client = await server.connect();
    const session = await client.session();
    const created = await collector.next(e => e.type === 1 && e.session_id === session.id);
    assert.deepEqual(keys(created), ['emitter', 'type', 'timestamp', 'session_id', 'event']);
    assert.deepEqual(Object.keys(created.event), ['name', 'transport']);
    assert.equal(created.event.name, 'created');
    assert.equal(created.event.transport.transport, 'janus.transport.websockets');
    assert.match(created.event.transport.id, /^[0-9]+$/);

    const handle = await session.attach(ECHO, { opaque_id: 'of mine' });
    const attached = await collector.next(e => e.type === 2 && e.handle_id === handle.id);
    assert.deepEqual(keys(attached), ['emitter', 'type', 'timestamp', 'session_id', 'handle_id', 'opaque_id', 'event']);
    assert.deepEqual(attached.event, { name: 'attached', plugin: ECHO, opaque_id: 'of mine' });

    await client.request({ janus: 'destroy', session_id: session.id });
    const detached = await collector.next(e => e.type === 2 && e.handle_id === handle.id);
    assert.equal(detached.event.name, 'detached');
    const destroyed = await collector.next(e => e.type === 1 && e.session_id === session.id);
    assert.deepEqual(destroyed.event, { name: 'destroyed' });
    assert.ok(collector.events.indexOf(detached) < collector.events.indexOf(destroyed));
    client.close();
  });

  test('every event has the keys of the envelope in their order', () => {
    for (const event of collector.events) {
      const order = keys(event).map(key => ENVELOPE.indexOf(key));
      assert.deepEqual(order, [...order].sort((a, b) => a - b), JSON.stringify(event));
      assert.ok(!order.includes(-1));
    }
  });

  test('the last is the end of the server, with the signal', async () => {
    await server.stop();
    server = null;
    const shutdown = await collector.next(e => e.type === 256 && e.subtype === 2);
    assert.deepEqual(shutdown.event, { status: 'shutdown', signum: 15 });
  });
});
