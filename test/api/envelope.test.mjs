// The envelope of the Janus API: what is checked first, and what the reply to a bad request carries (janus-api.md 1, 2, 15).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from './lib/server.mjs';

let server;
let client;

before(async () => {
  server = await startServer();
  client = await server.connect();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

/* The error as [code, transaction, session_id]. */
const seen = m => [m.error?.code, m.transaction, m.session_id];

test('a request without a transaction gets 456 that names it, and no transaction', async () => {
  const reply = await client.refused({ janus: 'ping' });
  assert.deepEqual(seen(reply), [456, undefined, undefined]);
  assert.equal(reply.error.reason, 'Missing mandatory element (transaction)');
});

test('a transaction of a wrong type gets 467, and is not sent back', async () => {
  for (const transaction of [5, null, true, {}, [], 1.5]) {
    const reply = await client.refused({ janus: 'ping', transaction });
    assert.deepEqual(seen(reply), [467, undefined, undefined]);
    assert.equal(reply.error.reason, 'Invalid element type (transaction should be a string)');
  }
});

test('a verb of a wrong type gets 467, and a missing one 456, neither with the transaction', async () => {
  for (const janus of [5, null, {}, []])
    assert.deepEqual(seen(await client.refused({ janus, transaction: 'x' })), [467, undefined, undefined]);
  const reply = await client.refused({ transaction: 'x' });
  assert.deepEqual(seen(reply), [456, undefined, undefined]);
  assert.equal(reply.error.reason, 'Missing mandatory element (janus)');
});

test('the reply to a bad header carries the session id that was sent', async () => {
  const session = await client.session();
  assert.deepEqual(seen(await client.refused({ janus: 5, transaction: 'x', session_id: session.id })), [467, undefined, session.id]);
  await session.destroy();
});

test('verbs are understood in any case, and the reply is in lower case', async () => {
  assert.equal((await client.request({ janus: 'PING' })).janus, 'pong');
  assert.equal((await client.request({ janus: 'pInG' })).janus, 'pong');
  assert.equal((await client.request({ janus: 'INFO' })).janus, 'server_info');
  const created = await client.request({ janus: 'Create' });
  assert.equal(created.janus, 'success');
  assert.equal((await client.request({ janus: 'DESTROY', session_id: created.data.id })).janus, 'success');
});

test('keys stand in their order: janus, session_id, transaction, then the rest', async () => {
  const session = await client.session();
  const reply = await session.request({ janus: 'keepalive' });
  assert.deepEqual(Object.keys(reply), ['janus', 'session_id', 'transaction']);
  const error = await session.request({ janus: 'nonsense' });
  assert.deepEqual(Object.keys(error), ['janus', 'session_id', 'transaction', 'error']);
  assert.deepEqual(Object.keys(error.error), ['code', 'reason']);
  await session.destroy();
});

test('transactions come back byte by byte', async () => {
  for (const transaction of ['', ' ', 'äöü € 漢字 🎥', 'a"b\\c/d', '\u0001\n\t', 'x'.repeat(10000)])
    assert.equal((await client.request({ janus: 'ping', transaction })).transaction, transaction);
});

test('an unknown verb is 457 at the root and 453 with a session', async () => {
  const atRoot = await client.request({ janus: 'Nonsense' });
  assert.equal(atRoot.error.code, 457);
  assert.equal(atRoot.error.reason, "Unhandled request 'Nonsense' at this path");
  const session = await client.session();
  const withSession = await session.request({ janus: 'nonsense' });
  assert.equal(withSession.error.code, 453);
  for (const janus of ['info', 'ping', 'create'])
    assert.equal((await session.request({ janus })).error.code, 453, janus);
  await session.destroy();
});

test('verbs at the wrong level are 457', async () => {
  for (const janus of ['attach', 'destroy', 'keepalive', 'claim', 'message', 'trickle', 'hangup', 'detach'])
    assert.equal((await client.request({ janus })).error.code, 457, janus);
  const session = await client.session();
  for (const janus of ['message', 'trickle', 'hangup', 'detach'])
    assert.equal((await session.request({ janus, body: {}, candidate: {} })).error.code, 457, janus);
  const handle = await session.attach('janus.plugin.echotest');
  for (const janus of ['attach', 'destroy'])
    assert.equal((await handle.request({ janus, plugin: 'janus.plugin.echotest' })).error.code, 457, janus);
  for (const janus of ['keepalive', 'claim'])
    assert.notEqual((await handle.request({ janus })).janus, 'error', janus);
  await session.destroy();
});

test('sessions that are not there are 458, with whatever verb', async () => {
  for (const janus of ['info', 'ping', 'create', 'keepalive', 'message', 'nonsense']) {
    const reply = await client.request({ janus, session_id: 123456789 });
    assert.equal(reply.error.code, 458, janus);
    assert.equal(reply.error.reason, 'No such session 123456789');
    assert.equal(reply.session_id, 123456789);
  }
});

test('a session id that is null, a text or a fraction counts as none', async () => {
  for (const session_id of [null, '12', 1.5, true, [], {}]) {
    assert.equal((await client.request({ janus: 'ping', session_id })).janus, 'pong');
    assert.equal((await client.request({ janus: 'keepalive', session_id })).error.code, 457);
  }
});

test('a handle id: null is none, everything that is no positive number is 459', async () => {
  const session = await client.session();
  assert.equal((await session.request({ janus: 'keepalive', handle_id: null })).janus, 'ack');
  for (const handle_id of ['a', 0, -1, 1.5, {}, [], true]) {
    const reply = await session.request({ janus: 'keepalive', handle_id });
    assert.equal(reply.error.code, 459, JSON.stringify(handle_id));
    assert.equal(reply.error.reason, 'Handle not found');
  }
  const unknown = await session.request({ janus: 'keepalive', handle_id: 77 });
  assert.equal(unknown.error.code, 459);
  assert.equal(unknown.error.reason, `No such handle 77 in session ${session.id}`);
  await session.destroy();
});

test('a handle without a session is 458', async () => {
  const reply = await client.request({ janus: 'message', handle_id: 77, body: {} });
  assert.equal(reply.error.code, 458);
  assert.equal(reply.error.reason, 'Session not found');
});

test('unknown keys are ignored', async () => {
  const reply = await client.request({ janus: 'ping', whatever: { deep: [1, 2, { x: null }] }, plugin: 5, body: 'x' });
  assert.equal(reply.janus, 'pong');
});

test('`id` is checked with every verb', async () => {
  for (const id of [-1, '7', 1.5, null, {}])
    assert.equal((await client.refused({ janus: 'ping', transaction: 'x', id })).error.code, 467, JSON.stringify(id));
  assert.equal((await client.refused({ janus: 'ping', transaction: 'x', id: -1 })).error.reason, 'Invalid element type (id should be a positive integer)');
});

test('info tells what a client wants to know, in the types it expects', async () => {
  const info = await client.request({ janus: 'info' });
  assert.deepEqual(Object.keys(info).slice(0, 4), ['janus', 'transaction', 'name', 'version']);
  for (const key of ['name', 'version_string', 'author', 'commit-hash', 'compile-time', 'server-name', 'local-ip'])
    assert.equal(typeof info[key], 'string', key);
  for (const key of ['version', 'session-timeout', 'reclaim-session-timeout', 'candidates-timeout', 'min-nack-queue', 'twcc-period', 'dtls-mtu', 'static-event-loops'])
    assert.ok(Number.isInteger(info[key]), key);
  for (const key of ['log-to-stdout', 'log-to-file', 'data_channels', 'accepting-new-sessions', 'ipv6', 'ice-lite', 'ice-tcp', 'full-trickle', 'mdns-enabled',
    'nack-optimizations', 'api_secret', 'auth_token', 'event_handlers', 'opaqueid_in_api'])
    assert.equal(typeof info[key], 'boolean', key);
  for (const name of ['janus.plugin.echotest', 'janus.plugin.videoroom']) {
    const plugin = info.plugins[name];
    assert.deepEqual(Object.keys(plugin), ['name', 'author', 'description', 'version_string', 'version'], name);
    assert.ok(Number.isInteger(plugin.version));
  }
  assert.ok(info.transports['janus.transport.websockets']);
  assert.equal(typeof info.events, 'object');
  assert.equal(typeof info.loggers, 'object');
});
