// The core's verbs: the order of the checks, every level, every code that needs no PeerConnection (janus-api.md 1-3, 15).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const ID_MAX = 2 ** 53 - 1;

let server;
let client;

before(async () => {
  server = await startServer({ name: 'api-core' });
  client = await server.connect();
});

after(async () => {
  client?.close();
  await server?.stop();
});

/* The error of a reply: [code, reason]; and what the reply must not carry. */
function assertError(reply, code, reason) {
  assert.equal(reply.janus, 'error', JSON.stringify(reply));
  assert.equal(reply.error.code, code, JSON.stringify(reply));
  if (reason !== undefined)
    assert.equal(reply.error.reason, reason);
}

describe('what a request must have', () => {
  test('without a transaction: 456 naming it, and no transaction in the reply', async () => {
    const reply = await client.refused({ janus: 'ping' });
    assertError(reply, 456, 'Missing mandatory element (transaction)');
    assert.deepEqual(Object.keys(reply), ['janus', 'error']);
  });

  for (const value of [5, null, true, [], {}, 1.5])
    test(`transaction ${JSON.stringify(value)}: 467, no transaction in the reply`, async () => {
      const reply = await client.refused({ janus: 'ping', transaction: value });
      assertError(reply, 467, 'Invalid element type (transaction should be a string)');
      assert.equal(reply.transaction, undefined);
    });

  test('without a verb: 456 naming it, and no transaction in the reply', async () => {
    const reply = await client.refused({ transaction: 'x' });
    assertError(reply, 456, 'Missing mandatory element (janus)');
    assert.equal(reply.transaction, undefined);
  });

  for (const value of [5, null, true, [], {}])
    test(`verb ${JSON.stringify(value)}: 467, no transaction in the reply`, async () => {
      const reply = await client.refused({ janus: value, transaction: 'x' });
      assertError(reply, 467, 'Invalid element type (janus should be a string)');
      assert.equal(reply.transaction, undefined);
    });

  test('the transaction is looked at before the verb, and the verb before the id', async () => {
    assertError(await client.refused({}), 456, 'Missing mandatory element (transaction)');
    assertError(await client.refused({ transaction: 1, janus: 1, id: 'x' }), 467, 'Invalid element type (transaction should be a string)');
    assertError(await client.refused({ transaction: 't', janus: 1, id: 'x' }), 467, 'Invalid element type (janus should be a string)');
  });

  test('a session_id comes back even when the header is wrong', async () => {
    const reply = await client.refused({ janus: 'keepalive', session_id: 77 });
    assertError(reply, 456);
    assert.deepEqual(Object.keys(reply), ['janus', 'session_id', 'error']);
    assert.equal(reply.session_id, 77);
  });

  test('id is checked on every verb', async () => {
    for (const id of [-1, '7', 1.5, null, true, [], {}]) {
      const reply = await client.refused({ janus: 'ping', transaction: 'x', id });
      assertError(reply, 467, 'Invalid element type (id should be a positive integer)');
      assert.equal(reply.transaction, undefined);
    }
  });

  test('reasons of the validation are cut, not the server', async () => {
    const reply = await client.request({ janus: 'x'.repeat(5000) });
    assertError(reply, 457);
    assert.ok(reply.error.reason.length <= 511, `${reply.error.reason.length}`);
  });
});

describe('without ids', () => {
  test('ping', async () => {
    const reply = await client.request({ janus: 'ping', transaction: 'p1' });
    assert.deepEqual(reply, { janus: 'pong', transaction: 'p1' });
  });

  test('verbs in any case; answers in lower case', async () => {
    assert.equal((await client.request({ janus: 'PING' })).janus, 'pong');
    assert.equal((await client.request({ janus: 'pInG' })).janus, 'pong');
    assert.equal((await client.request({ janus: 'Info' })).janus, 'server_info');
  });

  test('unknown keys are ignored', async () => {
    assert.equal((await client.request({ janus: 'ping', nothing: { of: ['this'] }, body: 5, jsep: null })).janus, 'pong');
  });

  test('an unknown verb and a verb of another level: 457 with the verb as it was sent', async () => {
    for (const verb of ['Blah', 'KeepAlive', 'attach', 'message', 'trickle', 'hangup', 'detach', 'destroy', 'claim', ''])
      assertError(await client.request({ janus: verb }), 457, `Unhandled request '${verb}' at this path`);
  });

  test('transactions of any length and content come back as they were', async () => {
    for (const transaction of ['', ' ', 'é\u{1F6AA}\u0001"\\/', 'x'.repeat(100000)])
      assert.equal((await client.request({ janus: 'ping', transaction })).transaction, transaction);
  });

  test('info says who we are, in the order of the keys', async () => {
    const info = await client.request({ janus: 'info', transaction: 'i1' });
    assert.deepEqual(Object.keys(info).slice(0, 6), ['janus', 'transaction', 'name', 'version', 'version_string', 'author']);
    assert.equal(info.janus, 'server_info');
    assert.equal(typeof info.version, 'number');
    for (const key of ['data_channels', 'accepting-new-sessions', 'ipv6', 'ice-lite', 'ice-tcp', 'full-trickle', 'api_secret', 'auth_token', 'event_handlers'])
      assert.equal(typeof info[key], 'boolean', key);
    for (const key of ['session-timeout', 'reclaim-session-timeout', 'candidates-timeout'])
      assert.equal(typeof info[key], 'number', key);
    for (const key of ['transports', 'events', 'plugins', ...(IS_REFERENCE ? [] : ['loggers'])])
      assert.equal(typeof info[key], 'object', key);
    assert.equal(info['server-name'], 'MyJanusInstance');
    for (const name of [ECHO, ROOM])
      assert.deepEqual(Object.keys(info.plugins[name]), ['name', 'author', 'description', 'version_string', 'version']);
    assert.equal(info.transports['janus.transport.websockets'].version_string, '0.0.1');
    if (!IS_REFERENCE)
      assert.equal(info.version, 1401);
  });

  test('info with ids of a live session is unknown: 453; of a dead one: 458', async () => {
    const session = await client.session();
    for (const verb of ['info', 'ping', 'create'])
      assertError(await session.request({ janus: verb }), 453, `Unknown request '${verb}'`);
    await session.destroy();
    assertError(await session.request({ janus: 'info' }), 458, `No such session ${session.id}`);
  });
});

describe('create', () => {
  test('the answer has an id of its own and no session_id', async () => {
    const reply = await client.request({ janus: 'create', transaction: 'c1' });
    assert.deepEqual(Object.keys(reply), ['janus', 'transaction', 'data']);
    assert.ok(Number.isSafeInteger(reply.data.id) && reply.data.id > 0 && reply.data.id <= ID_MAX);
    await client.request({ janus: 'destroy', session_id: reply.data.id });
  });

  test('a wished id', async () => {
    const session = await client.session({ id: 41 });
    assert.equal(session.id, 41);
    const again = await client.request({ janus: 'create', id: 41 });
    assertError(again, 468, 'Session ID already in use');
    assert.equal(again.session_id, 41);
    await session.destroy();
    const free = await client.session({ id: 41 });
    assert.equal(free.id, 41);
    await free.destroy();
  });

  test('id 0 means any', async () => {
    const session = await client.session({ id: 0 });
    assert.notEqual(session.id, 0);
    await session.destroy();
  });

  test('ids are not repeated', async () => {
    const sessions = await Promise.all(Array.from({ length: 200 }, () => client.session()));
    assert.equal(new Set(sessions.map(s => s.id)).size, 200);
    await Promise.all(sessions.map(s => s.destroy()));
  });

  test('with a handle_id: 458, 457 is for the root', async () => {
    assertError(await client.request({ janus: 'create', handle_id: 5 }), 458, 'Session not found');
    assertError(await client.request({ janus: 'create', session_id: 'x', handle_id: 5 }), 458, 'Session not found');
  });
});

describe('with a session', () => {
  test('session_id of another type counts as absent', async () => {
    for (const session_id of ['41', 41.5, null, true, [], {}, 0])
      assertError(await client.request({ janus: 'keepalive', session_id }), 457);
  });

  test('an unknown session: 458 naming it', async () => {
    assertError(await client.request({ janus: 'keepalive', session_id: 12345 }), 458, 'No such session 12345');
  });

  test('keepalive: ack and nothing else', async () => {
    const session = await client.session();
    assert.deepEqual(await session.request({ janus: 'keepalive', transaction: 'k1' }), { janus: 'ack', session_id: session.id, transaction: 'k1' });
    await session.destroy();
  });

  test('handle_id: null and absent are the same; anything else without a value above zero is 459', async () => {
    const session = await client.session();
    assert.equal((await session.request({ janus: 'keepalive', handle_id: null })).janus, 'ack');
    for (const handle_id of ['a', 0, ...(IS_REFERENCE ? [] : [-5]), 1.5, true, [], {}])
      assertError(await session.request({ janus: 'keepalive', handle_id }), 459, 'Handle not found');
    assertError(await session.request({ janus: 'keepalive', handle_id: 99 }), 459, `No such handle 99 in session ${session.id}`);
    await session.destroy();
  });

  test('a handle is of its session only', async () => {
    const [a, b] = [await client.session(), await client.session()];
    const handle = await a.attach(ECHO);
    assertError(await b.request({ janus: 'keepalive', handle_id: handle.id }), 459);
    assert.equal((await handle.request({ janus: 'keepalive' })).janus, 'ack');
    await Promise.all([a.destroy(), b.destroy()]);
  });

  test('keepalive and claim tolerate a handle; attach and destroy do not', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    assert.equal((await handle.request({ janus: 'keepalive' })).janus, 'ack');
    assert.equal((await handle.request({ janus: 'claim' })).janus, 'success');
    assertError(await handle.request({ janus: 'attach', plugin: ECHO }), 457, "Unhandled request 'attach' at this path");
    assertError(await handle.request({ janus: 'destroy' }), 457, "Unhandled request 'destroy' at this path");
    for (const verb of ['message', 'trickle', 'hangup', 'detach'])
      assertError(await session.request({ janus: verb }), 457, `Unhandled request '${verb}' at this path`);
    assertError(await session.request({ janus: 'blah' }), 453, "Unknown request 'blah'");
    assertError(await handle.request({ janus: 'Blah' }), 453, "Unknown request 'Blah'");
    await session.destroy();
  });

  test('destroy: success, then the session is gone, and nothing is said of its handles', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    assert.deepEqual(await session.request({ janus: 'destroy', transaction: 'd1' }), { janus: 'success', session_id: session.id, transaction: 'd1' });
    assertError(await handle.request({ janus: 'keepalive' }), 458);
    await client.nothing(m => m.session_id === session.id && ['detached', 'hangup', 'timeout'].includes(m.janus), 200);
  });
});

describe('attach and detach', () => {
  test('the answer has the id, and the session', async () => {
    const session = await client.session();
    const reply = await session.request({ janus: 'attach', transaction: 'a1', plugin: ECHO, opaque_id: 'u-7' });
    assert.deepEqual(Object.keys(reply), ['janus', 'session_id', 'transaction', 'data']);
    assert.ok(Number.isSafeInteger(reply.data.id) && reply.data.id > 0);
    await session.destroy();
  });

  test('its parameters', async () => {
    const session = await client.session();
    assertError(await session.request({ janus: 'attach' }), 456, 'Missing mandatory element (plugin)');
    for (const plugin of [5, null, true, [], {}])
      assertError(await session.request({ janus: 'attach', plugin }), 467, 'Invalid element type (plugin should be a string)');
    for (const opaque_id of [5, null, true, [], {}])
      assertError(await session.request({ janus: 'attach', plugin: ECHO, opaque_id }), 467, 'Invalid element type (opaque_id should be a string)');
    for (const loop_index of ['5', null, true, [], {}, -1, 0.5])
      assertError(await session.request({ janus: 'attach', plugin: ECHO, loop_index }), 467, 'Invalid element type (loop_index should be a positive integer)');
    assert.equal((await session.request({ janus: 'attach', plugin: ECHO, loop_index: 5 })).janus, 'success');
    for (const plugin of ['', 'janus.plugin.nothing', 'JANUS.PLUGIN.ECHOTEST', '../echotest', 'x'.repeat(10000)])
      assertError(await session.request({ janus: 'attach', plugin }), 460);
    assertError(await session.request({ janus: 'attach', plugin: 'janus.plugin.nothing' }), 460, "No such plugin 'janus.plugin.nothing'");
    await session.destroy();
  });

  test('detach: success at once, then one detached; the id is gone', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    assert.deepEqual(await handle.request({ janus: 'detach', transaction: 'd' }), { janus: 'success', session_id: session.id, transaction: 'd' });
    const detached = await client.next(m => m.janus === 'detached' && m.sender === handle.id);
    assert.deepEqual(detached, { janus: 'detached', session_id: session.id, sender: handle.id });
    assertError(await handle.request({ janus: 'detach' }), 459);
    await handle.nothing(() => true, 150);
    await session.destroy();
  });

  test('hangup without a PeerConnection: success, no event', async () => {
    const session = await client.session();
    const handle = await session.attach(ROOM);
    for (let i = 0; i < 3; i++)
      assert.deepEqual(await handle.request({ janus: 'hangup', transaction: `h${i}` }), { janus: 'success', session_id: session.id, transaction: `h${i}` });
    await handle.nothing(m => m.janus === 'hangup', 200);
    await session.destroy();
  });
});

describe('message', () => {
  test('body must be an object', async () => {
    const session = await client.session();
    const handle = await session.attach(ROOM);
    assertError(await handle.request({ janus: 'message' }), 456, 'Missing mandatory element (body)');
    for (const body of [[], null, 5, 'x', true, 1.5])
      assertError(await handle.request({ janus: 'message', body }), 467, 'Invalid element type (body should be an object)');
    await session.destroy();
  });

  test('jsep must be an object; body comes first', async () => {
    const session = await client.session();
    const handle = await session.attach(ROOM);
    for (const jsep of [null, 5, 'x', true, []])
      assertError(await handle.request({ janus: 'message', body: { request: 'list' }, jsep }), 455, 'Invalid jsep object');
    assertError(await handle.request({ janus: 'message', body: [], jsep: null }), 467);
    await session.destroy();
  });

  test('a synchronous answer', async () => {
    const session = await client.session();
    const handle = await session.attach(ROOM);
    const reply = await handle.request({ janus: 'message', transaction: 'm2', body: { request: 'list' } });
    assert.deepEqual(Object.keys(reply), ['janus', 'session_id', 'transaction', 'sender', 'plugindata']);
    assert.equal(reply.janus, 'success');
    assert.equal(reply.sender, handle.id);
    assert.equal(reply.plugindata.plugin, ROOM);
    assert.equal(reply.plugindata.data.videoroom, 'success');
    await session.destroy();
  });

  test('an asynchronous one: ack with its hint first, then the event with the transaction', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    const { ack, event } = await handle.message({ audio: true });
    assert.deepEqual(ack, { janus: 'ack', session_id: session.id, transaction: ack.transaction, hint: "I'm taking my time!" });
    assert.deepEqual(Object.keys(event), ['janus', 'session_id', 'transaction', 'sender', 'plugindata']);
    assert.deepEqual(event.plugindata, { plugin: ECHO, data: { echotest: 'event', result: 'ok' } });
    await session.destroy();
  });

  test('ack comes before its event, every time', { skip: IS_REFERENCE && 'the reference may be the other way round' }, async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    const order = [];
    client.socket.on('message', data => order.push(JSON.parse(String(data))));
    await Promise.all(Array.from({ length: 300 }, () => handle.message({ audio: true })));
    for (const event of order.filter(m => m.janus === 'event'))
      assert.ok(order.findIndex(m => m.janus === 'ack' && m.transaction === event.transaction) < order.indexOf(event));
    assert.deepEqual(order.filter(m => m.janus === 'event').map(m => m.transaction), order.filter(m => m.janus === 'ack').map(m => m.transaction));
    await session.destroy();
  });
});

describe('texts that are not one object', () => {
  for (const [text, name] of [['[]', 'an empty array'], ['[{"janus":"ping","transaction":"x"}]', 'an array'], ['{}', 'an empty object']])
    test(`${name}: 456 for the transaction`, async () => assertError(await client.refused(text), 456, 'Missing mandatory element (transaction)'));

  for (const text of ['', ' ', '{', '}', '"x"', '5', 'null', 'true', '{"janus":"ping"', '{"a":}', "{'a':1}", '{"a":1,}', '\u0000', '{"janus":"ping","transaction":"x"} x',
    '{"janus":"ping\\u0000","transaction":"x"}', 'NaN', '{"a":NaN}', '{"a":01}', '{"a":"\\ud800"}', '\ufeff{"janus":"ping","transaction":"x"}', '{"a":1e999}',
    '{"a":99999999999999999999}'])
    test(`${JSON.stringify(text)}: 454, nothing of it is done`, async () => {
      const reply = await client.refused(text);
      assertError(reply, 454);
      assert.match(reply.error.reason, /^Invalid Janus API request/);
      assert.deepEqual(Object.keys(reply), ['janus', 'error']);
    });

  test('the reason says where', async () => {
    const reply = await client.refused('{"a":\n 1,,}');
    assert.match(reply.error.reason, /^Invalid Janus API request - <string>\(2,\d+\): /);
  });

  test('keys given twice: the last one counts', async () => {
    client.send('{"janus":"blah","transaction":"no","janus":"ping","transaction":"twice"}');
    assert.equal((await client.next(m => m.transaction === 'twice')).janus, 'pong');
  });

  test('several documents in one text are done in order', async () => {
    client.send(' {"janus":"ping","transaction":"s1"}\n{"janus":"info","transaction":"s2"}{"janus":"ping","transaction":"s3"}' + (IS_REFERENCE ? '' : ' \r\n\t'));
    assert.equal((await client.next(m => m.transaction?.startsWith('s'))).transaction, 's1');
    assert.equal((await client.next(m => m.transaction?.startsWith('s'))).transaction, 's2');
    assert.equal((await client.next(m => m.transaction?.startsWith('s'))).transaction, 's3');
  });

  test('several documents with a broken one: one 454, none is done', async () => {
    client.send('{"janus":"ping","transaction":"n1"}{"janus":"create","transaction":"n2"}{"janus"');
    assertError(await client.next(m => m.janus === 'error'), 454);
    await client.nothing(m => m.transaction?.startsWith('n'), 200);
  });

  test('many documents: 256 are done, 257 are one 454', { skip: IS_REFERENCE && 'no limit there' }, async () => {
    const documents = n => Array.from({ length: n }, (_, i) => `{"janus":"ping","transaction":"d${i}"}`).join('');
    client.send(documents(256));
    for (let i = 0; i < 256; i++)
      assert.equal((await client.next(m => m.transaction?.startsWith('d'))).transaction, `d${i}`);
    client.send(documents(257));
    assertError(await client.next(), 454);
    await client.nothing(() => true, 200);
  });

  test('a binary frame is as good as a text', async () => {
    client.send(Buffer.from('{"janus":"ping","transaction":"bin"}'));
    assert.equal((await client.next(m => m.transaction === 'bin')).janus, 'pong');
  });
});

describe('order', () => {
  test('requests of one connection are answered in the order in which they came', async () => {
    const session = await client.session();
    const handle = await session.attach(ROOM);
    const verbs = [{ janus: 'ping' }, { janus: 'keepalive', session_id: session.id }, { janus: 'blah' },
      { janus: 'trickle', session_id: session.id, handle_id: handle.id, candidate: { completed: true } }, { janus: 'info' }];
    const sent = Array.from({ length: 300 }, (_, i) => ({ ...verbs[i % verbs.length], transaction: `o${i}` }));
    for (const message of sent)
      client.send(message);
    for (const message of sent)
      assert.equal((await client.next(m => m.transaction?.startsWith('o'))).transaction, message.transaction);
    await session.destroy();
  });
});
