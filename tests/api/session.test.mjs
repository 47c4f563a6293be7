// How sessions end and move: time-outs, claim, reclaim, connections that go away (janus-api.md 3.8, 8; transports.md 1.5).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';

const alive = async (client, session) => (await client.request({ janus: 'keepalive', session_id: session.id })).janus === 'ack';

async function until(what, ask, ms = 6000) {
  const deadline = Date.now() + ms;
  while (!await ask()) {
    if (Date.now() > deadline)
      throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(50);
  }
}

describe('a session time-out of 2 s', { concurrency: true }, () => {
  let server;
  before(async () => { server = await startServer({ name: 'api-session-timeout', core: { general: { session_timeout: 2 } } }); });
  after(() => server?.stop());

  test('a silent session ends with timeout alone, within 2 s more; the connection stays', async () => {
    const client = await server.connect();
    const session = await client.session();
    await session.attach(ECHO);
    await session.attach(ROOM);
    const begun = Date.now();
    const message = await client.next(m => m.janus === 'timeout', 8000);
    const took = Date.now() - begun;
    assert.deepEqual(message, { janus: 'timeout', session_id: session.id });
    assert.ok(took > 1800 && took < 4800, `${took} ms`);
    if (!IS_REFERENCE)
      await client.nothing(() => true, 200);
    assert.equal((await client.request({ janus: 'keepalive', session_id: session.id })).error.code, 458);
    assert.equal((await client.request({ janus: 'claim', session_id: session.id })).error.code, 458);
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.close();
  });

  test('a request that names it keeps it, also one that fails later; events do not', async () => {
    const client = await server.connect();
    const session = await client.session();
    for (let i = 0; i < 5; i++) {
      await sleep(1000);
      assert.equal((await client.request({ janus: 'keepalive', session_id: session.id, handle_id: 424242 })).error.code, 459);
    }
    assert.ok(await alive(client, session));
    assert.equal((await client.next(m => m.janus === 'timeout', 8000)).session_id, session.id);
    client.close();
  });

  test('one that somebody else names lives too', async () => {
    const [client, other] = [await server.connect(), await server.connect()];
    const session = await client.session();
    for (let i = 0; i < 4; i++) {
      await sleep(1000);
      assert.ok(await alive(other, session));
    }
    assert.deepEqual(client.take(), []);
    await session.destroy();
    client.close();
    other.close();
  });

  test('a thousand end together, each with its own word', async () => {
    const client = await server.connect();
    const ids = (await Promise.all(Array.from({ length: 1000 }, () => client.session()))).map(s => s.id);
    const ended = [];
    for (let i = 0; i < ids.length; i++)
      ended.push((await client.next(m => m.janus === 'timeout', 15000)).session_id);
    assert.deepEqual(ended.sort(), ids.sort());
    client.close();
  });
});

describe('without a time to reclaim', () => {
  let server;
  let client;
  before(async () => { server = await startServer({ name: 'api-session-gone', rooms: { 'room-1': { notify_joining: true } } }); client = await server.connect(); });
  after(async () => { client?.close(); await server?.stop(); });

  for (const way of ['close', 'vanish'])
    test(`a connection that goes (${way}) takes its sessions along`, async () => {
      const other = await server.connect();
      const sessions = await Promise.all(Array.from({ length: 20 }, () => other.session()));
      for (const session of sessions)
        await session.attach(ROOM);
      await other[way]();
      await until('all are gone', async () => (await Promise.all(sessions.map(s => alive(client, s)))).every(a => !a));
    });

  test('creates that were still on their way leave nothing behind', { skip: IS_REFERENCE && 'leaves them' }, async () => {
    const before = server.log().length;
    for (let round = 0; round < 20; round++) {
      const other = await server.connect();
      for (let i = 0; i < 50; i++)
        other.send({ janus: 'create', transaction: 'x', id: 5000 + i });
      if (round % 2 === 0)
        await other.vanish();
      else
        other.socket.terminate();
    }
    await until('all ids are free', async () => {
      const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => client.request({ janus: 'keepalive', session_id: 5000 + i })));
      return replies.every(r => r.error?.code === 458);
    });
    assert.ok(server.log().length - before < 20000, 'no flood of the log');
  });

  test('a participant whose connection is cut has left the room', async () => {
    const session = await client.session();
    const watcher = await session.attach(ROOM);
    await watcher.message({ request: 'join', room: 1, ptype: 'publisher', display: 'watcher' });
    const other = await server.connect();
    const there = await (await other.session()).attach(ROOM);
    const { data } = await there.message({ request: 'join', room: 1, ptype: 'publisher', display: 'guest' });
    assert.equal((await watcher.event(d => d.joining)).joining.display, 'guest');
    await other.vanish();
    assert.equal((await watcher.event(d => d.leaving)).leaving, data.id);
    await session.destroy();
  });
});

describe('claim', () => {
  let server;
  let a;
  let b;
  before(async () => {
    server = await startServer({ name: 'api-session-claim' });
    a = await server.connect();
    b = await server.connect();
  });
  after(async () => { a?.close(); b?.close(); await server?.stop(); });

  const detached = async (client, session) => {
    const reply = await client.request({ janus: 'attach', session_id: session.id, plugin: ECHO });
    await client.request({ janus: 'detach', session_id: session.id, handle_id: reply.data.id });
    return m => m.janus === 'detached' && m.sender === reply.data.id;
  };

  test('by its owner: success and nothing changes', async () => {
    const session = await a.session();
    assert.deepEqual(await session.request({ janus: 'claim', transaction: 'c' }), { janus: 'success', session_id: session.id, transaction: 'c' });
    await a.next(await detached(a, session));
    await session.destroy();
  });

  test('by another, while the owner is there: events go over, the old owner hears nothing', async () => {
    const session = await a.session();
    await a.next(await detached(b, session));
    assert.equal((await b.request({ janus: 'claim', session_id: session.id })).janus, 'success');
    await b.next(await detached(b, session));
    await b.next(await detached(a, session));
    assert.deepEqual(a.take(), []);
    await b.request({ janus: 'destroy', session_id: session.id });
  });

  test('a claimed session outlives the connection that made it', async () => {
    const first = await server.connect();
    const session = await first.session();
    assert.equal((await b.request({ janus: 'claim', session_id: session.id })).janus, 'success');
    await first.vanish();
    await sleep(200);
    assert.ok(await alive(b, session));
    await b.request({ janus: 'destroy', session_id: session.id });
  });

  test('back and forth, a hundred times, loses nothing', async () => {
    const session = await a.session();
    for (let i = 0; i < 100; i++) {
      const owner = i % 2 === 0 ? b : a;
      assert.equal((await owner.request({ janus: 'claim', session_id: session.id })).janus, 'success');
      await owner.next(await detached(owner, session));
    }
    assert.deepEqual([...a.take(), ...b.take()].filter(m => !IS_REFERENCE || m.janus !== 'event'), []);
    await session.destroy();
  });

  test('of nothing: 458', async () => {
    assert.equal((await a.request({ janus: 'claim', session_id: 5 })).error.code, 458);
    assert.equal((await a.request({ janus: 'claim' })).error.code, 457);
  });
});

describe('with 3 s to reclaim', { concurrency: true }, () => {
  let server;
  before(async () => {
    server = await startServer({ name: 'api-session-reclaim', core: { general: { reclaim_session_timeout: 3, session_timeout: 60 } },
      rooms: { 'room-1': { notify_joining: true }, 'room-2': { notify_joining: true } } });
  });
  after(() => server?.stop());

  test('a session can be claimed after its connection has gone, with its handles and rooms', async () => {
    const [first, second, watching] = [await server.connect(), await server.connect(), await server.connect()];
    const watcher = await (await watching.session()).attach(ROOM);
    await watcher.message({ request: 'join', room: 1, ptype: 'publisher' });
    const session = await first.session();
    const handle = await session.attach(ROOM);
    const { data } = await handle.message({ request: 'join', room: 1, ptype: 'publisher', display: 'phone' });
    await first.vanish();
    await sleep(300);
    assert.equal((await second.request({ janus: 'claim', session_id: session.id })).janus, 'success');
    await sleep(4000);
    assert.equal((await second.request({ janus: 'keepalive', session_id: session.id, handle_id: handle.id })).janus, 'ack', 'the mark is cleared');
    const list = await watcher.sync({ request: 'listparticipants', room: 1 });
    assert.ok(list.participants.some(p => p.id === data.id));
    await watcher.message({ request: 'configure', display: 'x' });
    await second.request({ janus: 'destroy', session_id: session.id });
    assert.equal((await watcher.event(d => d.leaving)).leaving, data.id);
    second.close();
    watching.close();
  });

  test('nobody claims it: it ends, counted from its last request, and the room is told', async () => {
    const [first, watching] = [await server.connect(), await server.connect()];
    const watcher = await (await watching.session()).attach(ROOM);
    await watcher.message({ request: 'join', room: 2, ptype: 'publisher' });
    const session = await first.session();
    const handle = await session.attach(ROOM);
    const { data } = await handle.message({ request: 'join', room: 2, ptype: 'publisher' });
    await first.vanish();
    const begun = Date.now();
    const left = await watcher.event(d => d.leaving === data.id, 9000);
    assert.equal(left.leaving, data.id);
    const took = Date.now() - begun;
    assert.ok(took > 2000 && took < 6000, `${took} ms`);
    assert.equal((await watching.request({ janus: 'claim', session_id: session.id })).error.code, 458);
    watching.close();
  });

  test('requests of others keep it, though its events are lost until a claim', async () => {
    const [first, second] = [await server.connect(), await server.connect()];
    const session = await first.session();
    await first.vanish();
    for (let i = 0; i < 5; i++) {
      await sleep(1000);
      assert.ok(await alive(second, session));
    }
    const handle = (await second.request({ janus: 'attach', session_id: session.id, plugin: ECHO })).data.id;
    await second.request({ janus: 'detach', session_id: session.id, handle_id: handle });
    await second.nothing(() => true, 150);
    await second.request({ janus: 'claim', session_id: session.id });
    const next = (await second.request({ janus: 'attach', session_id: session.id, plugin: ECHO })).data.id;
    await second.request({ janus: 'detach', session_id: session.id, handle_id: next });
    assert.equal((await second.next(m => m.janus === 'detached')).sender, next);
    second.close();
  });

  test('an ordinary close is a loss like any other', async () => {
    const first = await server.connect();
    const session = await first.session();
    await first.close();
    const second = await server.connect();
    assert.equal((await second.request({ janus: 'claim', session_id: session.id })).janus, 'success');
    second.close();
  });
});

describe('session_timeout = 0', () => {
  test('a silent session stays', async () => {
    const server = await startServer({ name: 'api-session-never', core: { general: { session_timeout: 0 } } });
    const client = await server.connect();
    const session = await client.session();
    await client.nothing(() => true, 4500);
    assert.ok(await alive(client, session));
    client.close();
    await server.stop();
  });
});
