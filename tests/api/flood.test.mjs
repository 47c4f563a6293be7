// Too much of something, and too little: handles, sessions, connections, descriptors, pings, readers that don't read. Each has a
// limit with a defined outcome, and everybody else is served meanwhile (design rule 3, security.md "a public node").

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { connect } from './lib/client.mjs';
import { jcfg } from './lib/jcfg.mjs';
import { folderWith, runToEnd } from './lib/run.mjs';
import { offer } from './lib/sdp.mjs';
import { CLOSE, PING, PONG, TEXT, frame, rawConnect, rawWebSocket, request } from './lib/raw.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const SLOW = /asan|tsan/.test(process.env.CARDEA_BIN ?? '') ? 20 : 1;
const ours = { skip: IS_REFERENCE && 'the reference has no such limit, or does not survive it' };

const rss = server => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);
const descriptors = server => readdirSync(`/proc/${server.pid}/fd`).length;
const setDescriptors = (server, limit) => execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${limit}:`]);

async function withServer(options, run) {
  const server = await startServer(options);
  const client = await server.connect();
  try {
    await run(server, client);
  } finally {
    client.close();
  }
  await server.stop();
}

async function until(what, ask, ms = 10000) {
  for (const deadline = Date.now() + ms; !await ask(); await sleep(30))
    if (Date.now() > deadline)
      throw new Error(`not within ${ms} ms: ${what}`);
}

async function assertServed(client) {
  /* that it is answered is what counts: how soon is a busy machine's business, and the client's own limit is the bound */
  assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
}

describe('of one connection', () => {
  test('(k) 999 handles, each in the room, each answered; and their end', () => withServer({ name: 'api-flood-handles', rooms: { 'room-1': { publishers: 2000 } } }, async (server, client) => {
    const own = await server.connect();
    const session = await own.session();
    const handles = await Promise.all(Array.from({ length: 999 }, () => session.attach(ROOM)));
    await Promise.all(handles.map((handle, i) => handle.message({ request: 'join', room: 1, ptype: 'publisher', display: `p${i}` })));
    await assertServed(client);
    const watcher = await (await client.session()).attach(ROOM);
    assert.equal((await watcher.sync({ request: 'listparticipants', room: 1 })).participants.length, 999);
    assert.ok(descriptors(server) < 60, 'no descriptor per handle');
    own.vanish();
    await until('all have left', async () => (await watcher.sync({ request: 'listparticipants', room: 1 })).participants.length === 0);
  }));

  test('4,096 handles of a session, the next is 490; another session has its own', ours, () => withServer({ name: 'api-flood-session' }, async (server, client) => {
    const session = await client.session();
    for (let i = 0; i < 4096; i += 256)
      await Promise.all(Array.from({ length: 256 }, () => session.attach(ECHO)));
    assert.equal((await session.request({ janus: 'attach', plugin: ECHO })).error.code, 490);
    await (await client.session()).attach(ECHO);
    await session.destroy();
    await (await client.session()).attach(ECHO);
  }));

  test('16,384 sessions, the next is 490; others still get theirs, and all go with it', ours, () => withServer({ name: 'api-flood-creates' }, async (server, client) => {
    const own = await server.connect();
    for (let i = 0; i < 16384; i++)
      own.send(`{"janus":"create","transaction":"c","id":${100000 + i}}`);
    for (let i = 0; i < 16384; i++)
      assert.equal((await own.next()).janus, 'success');
    assert.equal((await own.request({ janus: 'create' })).error.code, 490);
    const other = await client.session();
    await assertServed(client);
    own.vanish();
    await until('all are gone', async () => (await Promise.all([100000, 108000, 116383].map(id => client.request({ janus: 'keepalive', session_id: id })))).every(r => r.error?.code === 458));
    assert.equal((await other.request({ janus: 'keepalive' })).janus, 'ack');
  }));

  test('a storm of pings that is read: every one answered in its order', () => withServer({ name: 'api-flood-pings' }, async (server, client) => {
    const raw = await rawWebSocket(server.port);
    for (let i = 0; i < 20000; i += 1000) {
      raw.write(Buffer.concat(Array.from({ length: 1000 }, (_, k) => frame(PING, String(i + k)))));
      for (let k = 0; k < 1000; k++) {
        const pong = await raw.frame();
        assert.equal(pong.opcode, PONG);
        assert.equal(String(pong.payload), String(i + k));
      }
    }
    await assertServed(client);
    await raw.destroy();
  }));

  test('a storm of pings that is not read: closed at the cap', ours, () => withServer({ name: 'api-flood-pings-unread' }, async (server, client) => {
    const raw = await rawWebSocket(server.port);
    raw.socket.pause();
    const flood = Buffer.concat(Array.from({ length: 5000 }, () => frame(PING, 'x'.repeat(125))));
    const port = raw.socket.localPort;
    let gone = false;
    raw.end.then(() => { gone = true; });
    for (let i = 0; i < 400 && !gone && !raw.socket.destroyed; i++) {
      raw.write(flood);
      await new Promise(done => setImmediate(done));
      if (raw.socket.writableLength > 64 << 20)
        await sleep(20);
    }
    await until('the server has closed it', async () => gone || establishedFrom(port) === 0);
    await assertServed(client);
    raw.socket.resume();
    await raw.destroy();
  }));
});

/* How many connections from or to that port are established, at either end. */
function establishedFrom(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/net/tcp', 'utf8').split('\n').filter(line => line.includes(`:${hex} 01 `)).length;
}

describe('unauthenticated', () => {
  test('(k) a storm of creates without the secret leaves nothing, and others are served', () => withServer({ name: 'api-flood-unauthorized', core: { general: { api_secret: 's3cret' } } }, async (server, client) => {
    const session = await client.session({ apisecret: 's3cret' });
    const own = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
    const before = rss(server);
    const storm = Promise.all(own.map(async c => {
      for (let i = 0; i < 2000; i++)
        c.send('{"janus":"create","transaction":"x","apisecret":"wrong"}');
      for (let i = 0; i < 2000; i++)
        assert.equal((await c.next()).error.code, 403);
    }));
    for (let i = 0; i < 20; i++) {
      await assertServed(client);
      assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    }
    await storm;
    if (SLOW === 1 && !IS_REFERENCE)
      assert.ok(rss(server) - before < 20000, `${rss(server) - before} KB`);
    assert.ok(server.log().length < 100000, '(k) the log is not flooded');
    for (const c of own)
      c.close();
  }));
});

describe('readers that do not read', () => {
  const ROOMS = { rooms: { 'room-1': { publishers: 100, notify_joining: true } } };
  const big = 'x'.repeat(60000);

  async function join(client, display) {
    const handle = await (await client.session()).attach(ROOM);
    const { data } = await handle.message({ request: 'join', room: 1, ptype: 'publisher', display });
    return { handle, id: data.id };
  }

  test('(k) of events: closed at the cap, its participant leaves, the others hear everything', ours, () => withServer({ name: 'api-flood-events', ...ROOMS }, async (server, client) => {
    const talker = await join(client, 'talker');
    const listener = await join(await server.connect(), 'listener');
    const deaf = await server.connect();
    const stuck = await join(deaf, 'deaf');
    deaf.socket.pause();
    const before = rss(server);
    const left = listener.handle.event(d => d.leaving === stuck.id, 60000);
    let heard = 0;
    let gone = false;
    left.then(() => { gone = true; });
    for (let i = 0; i < 3000 && !gone; i++) {
      await talker.handle.message({ request: 'configure', display: `${i}${big}` });
      const event = await listener.handle.event(d => d.display);
      assert.ok(event.display.startsWith(String(i)));
      heard++;
    }
    await left;
    assert.ok(heard < 3000);
    if (SLOW === 1)
      assert.ok(rss(server) - before < 40000, `${rss(server) - before} KB`);
    await assertServed(client);
    listener.handle.client.close();
    deaf.socket.resume();
    await deaf.vanish();
  }));

  test('of many small events: 2,000 wait, then it is closed', ours, () => withServer({ name: 'api-flood-small', ...ROOMS }, async (server, client) => {
    const talker = await join(client, 'talker');
    const deaf = await rawWebSocket(server.port);
    deaf.write(request({ janus: 'create', transaction: 'c' }));
    const { data: { id: session_id } } = await deaf.message();
    deaf.write(request({ janus: 'attach', transaction: 'a', session_id, plugin: ROOM }));
    const { data: { id: handle_id } } = await deaf.message();
    deaf.write(request({ janus: 'message', transaction: 'j', session_id, handle_id, body: { request: 'join', room: 1, ptype: 'publisher' } }));
    deaf.socket.pause();
    const left = talker.handle.event(d => d.leaving, 60000);
    let gone = false;
    left.then(() => { gone = true; });
    let sent = 0;
    for (; sent < 400000 && !gone; sent += 500)
      await Promise.all(Array.from({ length: 500 }, (_, i) => talker.handle.message({ request: 'configure', display: `${sent + i}` })));
    await left;
    await assertServed(client);
    await deaf.destroy();
  }));

  test('of its own replies: it is read no further, loses nothing, and goes on when it reads', () => withServer({ name: 'api-flood-replies' }, async (server, client) => {
    const raw = await rawWebSocket(server.port);
    raw.socket.pause();
    const before = rss(server);
    const count = 3000;
    const transaction = 'x'.repeat(20000);
    for (let i = 0; i < count; i++)
      raw.write(request({ janus: 'ping', transaction: `${i} ${transaction}` }));
    await sleep(1000);
    await assertServed(client);
    if (SLOW === 1 && !IS_REFERENCE)
      assert.ok(rss(server) - before < 20000, `${rss(server) - before} KB`);
    raw.socket.resume();
    for (let i = 0; i < count; i++)
      assert.ok((await raw.message(30000)).transaction.startsWith(`${i} `));
    await raw.destroy();
  }));

  test('a hundred of them at once: others are served, memory is bounded', ours, () => withServer({ name: 'api-flood-deaf' }, async (server, client) => {
    const before = rss(server);
    const big = request({ janus: 'ping', transaction: 'y'.repeat(200000) });
    const all = await Promise.all(Array.from({ length: 100 }, async () => {
      const raw = await rawWebSocket(server.port);
      raw.socket.pause();
      for (let i = 0; i < 40; i++)
        raw.write(big);
      return raw;
    }));
    for (let i = 0; i < 20; i++) {
      await assertServed(client);
      await sleep(50);
    }
    if (SLOW === 1)
      assert.ok(rss(server) - before < 400000, `${rss(server) - before} KB`);
    await Promise.all(all.map(raw => raw.destroy()));
    await assertServed(client);
  }));
});

describe('connections', () => {
  test('over max_clients: closed at once, those that are there are served, and room is made by who leaves', ours, () => withServer({ name: 'api-flood-cap', websockets: { general: { max_clients: 30 } } }, async (server, client) => {
    const fits = await Promise.all(Array.from({ length: 29 }, () => server.connect()));
    for (let i = 0; i < 200; i++) {
      const raw = await rawConnect(server.port);
      await raw.end;
    }
    await Promise.all(fits.map(assertServed));
    fits.pop().close();
    let again;
    await until('there is room', () => server.connect().then(c => { again = c; return true; }, () => false));
    await assertServed(again);
    again.close();
    for (const c of fits)
      c.close();
  }));

  test('five hundred half-open handshakes: others are served', () => withServer({ name: 'api-flood-half' }, async (server, client) => {
    const half = await Promise.all(Array.from({ length: 500 }, async (_, i) => {
      const raw = await rawConnect(server.port);
      raw.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: webso'.slice(0, i % 40));
      return raw;
    }));
    for (let i = 0; i < 10; i++)
      await assertServed(client);
    const fresh = await server.connect();
    await assertServed(fresh);
    fresh.close();
    await Promise.all(half.map(raw => raw.destroy()));
  }));

  test('two thousand that come and go in every way: nothing stays', ours, () => withServer({ name: 'api-flood-churn' }, async (server, client) => {
    const ways = [
      async () => (await rawConnect(server.port)).destroy(),
      async () => { const raw = await rawConnect(server.port); raw.write('GET /'); raw.socket.resetAndDestroy(); },
      async () => { const raw = await rawWebSocket(server.port); raw.socket.resetAndDestroy(); },
      async () => { const raw = await rawWebSocket(server.port); raw.write(request({ janus: 'create', transaction: 'x' })); raw.socket.resetAndDestroy(); },
      async () => { const raw = await rawWebSocket(server.port); raw.write(frame(TEXT, '{"janus":', { fin: false })); raw.socket.end(); await raw.end; },
      async () => { const raw = await rawWebSocket(server.port); raw.write(frame(CLOSE, Buffer.from([3, 232]))); await raw.end; },
      async () => { const c = await server.connect(); await c.session(); await c.close(); },
    ];
    const round = async () => {
      for (let i = 0; i < 1000; i += 50)
        await Promise.all(Array.from({ length: 50 }, (_, k) => ways[(i + k) % ways.length]()));
    };
    const idle = descriptors(server);
    await round();
    await until('all descriptors are back', () => descriptors(server) === idle);
    const before = rss(server);
    await round();
    await until('all descriptors are back', () => descriptors(server) === idle);
    await assertServed(client);
    if (SLOW === 1)
      assert.ok(rss(server) - before < 4000, `${rss(server) - before} KB`);
  }));
});

describe('descriptors', ours, () => {
  test('none left: new connections wait or are refused, those that are there are served, and it recovers', () => withServer({ name: 'api-flood-nofile' }, async (server, client) => {
    const session = await client.session();
    const own = await Promise.all(Array.from({ length: 20 }, () => server.connect()));
    setDescriptors(server, descriptors(server) + 1);
    const waiting = await Promise.all(Array.from({ length: 30 }, () => rawConnect(server.port)));
    await server.logged(/no descriptor left/);
    for (let i = 0; i < 10; i++) {
      await assertServed(client);
      await Promise.all(own.map(assertServed));
      assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
      await sleep(100);
    }
    const cpu = () => Number(readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((a, b) => Number(a) + Number(b)));
    const begun = cpu();
    await sleep(1000);
    assert.ok(cpu() - begun < 30 * SLOW, 'it does not spin');
    setDescriptors(server, 20000);
    await until('new ones come in again', async () => { const c = await connect(server.ws); await assertServed(c); c.close(); return true; });
    assert.ok(server.log().split('no descriptor left').length <= 3, 'said once');
    await Promise.all(waiting.map(raw => raw.destroy()));
    for (const c of own)
      c.close();
  }));

  test('none left: rooms and calls need none; a log that cannot be opened again is given up, not the server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cardea-log-'));
    const log = join(folder, 'cardea.log');
    const server = await startServer({ name: 'api-flood-nofile-call', rooms: { 'room-1': {} }, args: ['-L', log, '-R', 'SIGHUP'] });
    const client = await server.connect();
    setDescriptors(server, descriptors(server));
    const session = await client.session();
    const handle = await session.attach(ROOM);
    assert.equal((await handle.sync({ request: 'create', room: 99 })).videoroom, 'created');
    const { jsep } = await handle.message({ request: 'joinandconfigure', room: 99, ptype: 'publisher' }, offer());
    assert.equal(jsep.type, 'answer');
    renameSync(log, `${log}.1`);
    server.kill('SIGHUP');
    await sleep(300);
    await assertServed(client);
    setDescriptors(server, 20000);
    server.kill('SIGHUP');
    await sleep(300);
    await assertServed(client);
    client.close();
    await server.stop();
  });

  test('too few to start with: exit 1 with a message, or it serves; never anything else', async () => {
    // The leak checker needs descriptors of its own, and fails where there are none.
    const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` };
    for (const limit of [3, 4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 24, 30]) {
      const dir = folderWith({ 'janus.transport.websockets.jcfg': jcfg({ general: { ws: true, ws_ip: '127.0.0.1', ws_port: await freePort() } }) });
      const { code, signal, out } = await runToEnd(['-F', dir], { wrap: ['prlimit', `--nofile=${limit}:${limit}`], ms: 700 * SLOW, env });
      assert.ok(signal === 'SIGKILL' || code === 1 || (code === 127 && limit < 8), `${limit}: ${code} ${signal} ${out}`);
      assert.ok(out.length > 0);
      assert.doesNotMatch(out, /CHECK|Sanitizer: (?!CHECK failed)|runtime error/);
    }
  });

  test('hardly any from the start: it says so, and serves a few', async () => {
    const server = await startServer({ name: 'api-flood-nofile-start', wrap: ['prlimit', '--nofile=40:40'] });
    // Whom there is no descriptor for waits, or is refused.
    const few = await Promise.all(Array.from({ length: 60 }, () => server.connect({ handshakeTimeout: 1500 }).catch(() => null)));
    const there = few.filter(c => c !== null);
    assert.ok(there.length >= 4 && there.length < 40, `${there.length}`);
    await Promise.all(there.map(assertServed));
    for (const c of there)
      c.close();
    await server.stop();
  });
});
