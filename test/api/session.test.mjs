// Sessions: made, kept, claimed, timed out, lost with their transport (janus-api.md 3 and 8).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

const TIMEOUT_S = 4;
const RECLAIM_S = 6;

let plain;                               /* no reclaim, long time-out */
let short;                               /* short time-out */
let reclaim;                             /* sessions may be claimed */

before(async () => {
  plain = await startServer({ name: 'session-plain' });
  short = await startServer({ name: 'session-short', core: { general: { session_timeout: TIMEOUT_S } } });
  reclaim = await startServer({ name: 'session-reclaim', core: { general: { session_timeout: 30, reclaim_session_timeout: RECLAIM_S } } });
});
after(async () => {
  for (const server of [plain, short, reclaim])
    await server?.stop();
});

const alive = async (client, id) => (await client.request({ janus: 'keepalive', session_id: id })).janus === 'ack';

test('create answers with data.id and no session_id, and ids fit a JavaScript number', async () => {
  const client = await plain.connect();
  const ids = new Set();
  for (let i = 0; i < 200; i++) {
    const reply = await client.request({ janus: 'create' });
    assert.deepEqual(Object.keys(reply), ['janus', 'transaction', 'data']);
    assert.ok(Number.isSafeInteger(reply.data.id) && reply.data.id > 0);
    ids.add(reply.data.id);
  }
  assert.equal(ids.size, 200);
  await client.close();
});

test('an id of one’s own: taken as it is, 0 is random, a taken one is 468 with its session_id', async () => {
  const client = await plain.connect();
  assert.equal((await client.request({ janus: 'create', id: 41 })).data.id, 41);
  const reply = await client.request({ janus: 'create', id: 41 });
  assert.equal(reply.error.code, 468);
  assert.equal(reply.session_id, 41);
  assert.notEqual((await client.request({ janus: 'create', id: 0 })).data.id, 0);
  assert.equal((await client.request({ janus: 'create', id: Number.MAX_SAFE_INTEGER })).data.id, Number.MAX_SAFE_INTEGER);
  await client.close();
});

test('an id that is free again can be had again', async () => {
  const client = await plain.connect();
  for (let i = 0; i < 20; i++) {
    assert.equal((await client.request({ janus: 'create', id: 4242 })).data.id, 4242);
    assert.equal((await client.request({ janus: 'destroy', session_id: 4242 })).janus, 'success');
  }
  await client.close();
});

test('destroy ends the session at once, with no event for its handles', async () => {
  const client = await plain.connect();
  const session = await client.session();
  await session.attach('janus.plugin.echotest');
  await session.attach('janus.plugin.videoroom');
  const reply = await session.destroy();
  assert.deepEqual(Object.keys(reply), ['janus', 'session_id', 'transaction']);
  assert.equal((await session.request({ janus: 'keepalive' })).error.code, 458);
  await client.nothing(() => true, 400);
  await client.close();
});

test('a silent session times out with one event, and the connection stays', async () => {
  const client = await short.connect();
  const session = await client.session();
  await session.attach('janus.plugin.echotest');
  const began = Date.now();
  const event = await client.next(m => m.janus === 'timeout', (TIMEOUT_S + 4) * 1000);
  const took = (Date.now() - began) / 1000;
  assert.deepEqual(event, { janus: 'timeout', session_id: session.id });
  assert.ok(took >= TIMEOUT_S - 0.2 && took <= TIMEOUT_S + 2.5, `after ${took} s`);
  assert.equal((await session.request({ janus: 'keepalive' })).error.code, 458);
  assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
  if (!IS_REFERENCE)
    assert.deepEqual(client.take(), [], 'nothing but the timeout');
  await client.close();
});

test('a keepalive, and even one that fails, keeps a session', async () => {
  const client = await short.connect();
  const session = await client.session();
  const end = Date.now() + (TIMEOUT_S + 4) * 1000;
  for (let i = 0; Date.now() < end; i++) {
    const reply = await session.request(i % 2 === 0 ? { janus: 'keepalive' } : { janus: 'keepalive', handle_id: 5 });
    assert.equal(reply.janus, i % 2 === 0 ? 'ack' : 'error');
    await sleep(1000);
  }
  assert.equal(await alive(client, session.id), true);
  await client.close();
});

test('without reclaim, sessions go with their connection, however it ends', async () => {
  const witness = await plain.connect();
  for (const end of ['close', 'vanish']) {
    const client = await plain.connect();
    const session = await client.session();
    await session.attach('janus.plugin.videoroom');
    await client[end]();
    await sleep(300);
    assert.equal((await witness.request({ janus: 'keepalive', session_id: session.id })).error?.code, 458, end);
  }
  await witness.close();
});

test('with reclaim, a session outlives its connection for so long, and no longer', async () => {
  const witness = await reclaim.connect();
  const client = await reclaim.connect();
  const session = await client.session();
  const began = Date.now();
  await client.vanish();
  await sleep(1000);
  assert.equal(reclaim.hasEnded(), null);
  await sleep((RECLAIM_S + 2.5) * 1000 - (Date.now() - began));
  assert.equal((await witness.request({ janus: 'keepalive', session_id: session.id })).error?.code, 458);
  await witness.close();
});

test('claim moves a session to another connection, and its events with it', async () => {
  const first = await reclaim.connect();
  const second = await reclaim.connect();
  const session = await first.session();
  const handle = await session.attach('janus.plugin.echotest');
  const claimed = await second.request({ janus: 'claim', session_id: session.id });
  assert.deepEqual(Object.keys(claimed), ['janus', 'session_id', 'transaction']);
  assert.equal(claimed.janus, 'success');

  await second.request({ janus: 'message', session_id: session.id, handle_id: handle.id, transaction: 'moved', body: { audio: true } });
  await second.next(m => m.janus === 'event' && m.transaction === 'moved');
  await first.nothing(() => true, 200);

  await first.close();
  await sleep(300);
  assert.equal(await alive(second, session.id), true, 'the old owner’s end means nothing now');
  await second.close();
});

test('a session whose connection was lost can be claimed', async () => {
  const client = await reclaim.connect();
  const session = await client.session();
  await client.vanish();
  const again = await reclaim.connect();
  assert.equal((await again.request({ janus: 'claim', session_id: session.id })).janus, 'success');
  for (let i = 0; i < RECLAIM_S + 2; i += 2) {
    await sleep(2000);
    assert.equal(await alive(again, session.id), true);
  }
  await again.close();
});

test('claim by the owner changes nothing; of a session that is not there it is 458', async () => {
  const client = await reclaim.connect();
  const session = await client.session();
  assert.equal((await session.request({ janus: 'claim' })).janus, 'success');
  assert.equal(await alive(client, session.id), true);
  assert.equal((await client.request({ janus: 'claim', session_id: 99 })).error.code, 458);
  await client.close();
});

test('any connection may speak for any session; events go to the owner alone', async () => {
  const owner = await plain.connect();
  const other = await plain.connect();
  const session = await owner.session();
  const reply = await other.request({ janus: 'attach', session_id: session.id, plugin: 'janus.plugin.echotest' });
  assert.equal(reply.janus, 'success');
  const ack = await other.request({ janus: 'message', session_id: session.id, handle_id: reply.data.id, transaction: 'foreign', body: { audio: true } });
  assert.equal(ack.janus, 'ack');
  await owner.next(m => m.janus === 'event' && m.transaction === 'foreign');
  await other.nothing(() => true, 200);
  await owner.close();
  await other.close();
});
