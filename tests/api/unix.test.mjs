// The Janus API over Unix sockets (transports.md 4): packets and datagrams, both APIs, and what strangers do to them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { existsSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { bridge } from './lib/bridge.mjs';
import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { jcfg } from './lib/jcfg.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const SECRET = 'drawbridge';
const ours = { skip: IS_REFERENCE && 'the reference has other limits' };

let own = 0;
const open = (server, kind, path = 'api') => bridge(['python3', 'unix_peer.py', kind, join(server.dir, path),
  ...(kind === 'dgram' ? [join(server.dir, `own-${++own}`)] : [])]);

function start(kind, { core, general } = {}) {
  return startServer({
    name: `api-unix-${kind}`, core: { ...core, transports: { disable: '' }, general: { admin_secret: SECRET, ...core?.general } },
    files: {
      'janus.transport.pfunix.jcfg': jcfg({ general: { enabled: true, path: 'api', type: `SOCK_${kind.toUpperCase()}`, ...general },
        admin: { admin_enabled: true, admin_path: 'admin', admin_type: `SOCK_${kind.toUpperCase()}` } }),
    },
  });
}

for (const kind of ['seqpacket', 'dgram']) {
  describe(kind, () => {
    let server;
    before(async () => { server = await start(kind); });
    after(async () => { await server?.stop(); });

    test('a session from its creation to its end', async () => {
      const client = await open(server, kind);
      const info = await client.request({ janus: 'info' });
      assert.equal(info.transports['janus.transport.pfunix'].version, 1);
      const session = await client.session();
      const handle = await session.attach(ECHO);
      const { event } = await handle.message({ audio: true });
      assert.equal(event.plugindata.data.result, 'ok');
      assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
      assert.equal((await handle.detach()).janus, 'success');
      await handle.next(m => m.janus === 'detached');
      assert.equal((await session.destroy()).janus, 'success');
      assert.equal((await session.request({ janus: 'keepalive' })).error.code, 458);
      client.close();
    });

    test('several clients, each with its own events', async () => {
      const clients = await Promise.all(Array.from({ length: 5 }, () => open(server, kind)));
      const handles = await Promise.all(clients.map(async client => (await client.session()).attach(ROOM)));
      const { room } = await handles[0].sync({ request: 'create' });
      for (const [i, handle] of handles.entries()) {
        const { data } = await handle.message({ request: 'join', ptype: 'publisher', room, display: `p${i}` });
        assert.equal(data.videoroom, 'joined');
      }
      await handles[0].sync({ request: 'destroy', room });
      for (const handle of handles)
        assert.equal((await handle.event(data => data.videoroom === 'destroyed')).room, room);
      for (const client of clients)
        client.close();
    });

    test('what is no JSON, no object, or two documents', async () => {
      const client = await open(server, kind);
      assert.match((await client.refused('{"janus":')).error.reason, /^Invalid Janus API request - <string>\(1,\d+\): /);
      assert.equal((await client.refused('{"janus":"ping","transaction":"a"} {"janus":"ping","transaction":"b"}')).error.code, 454);
      const array = await client.refused('[1]');
      assert.deepEqual(array, { janus: 'error', error: { code: 456, reason: 'Missing mandatory element (transaction)' } });
      assert.equal((await client.refused(Buffer.from([0xff, 0xfe]))).error.code, 454);
      assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
      client.close();
    });

    test('the Admin API has a socket of its own', async () => {
      const client = await open(server, kind), admin = await open(server, kind, 'admin');
      const session = await client.session();
      const { sessions } = await admin.request({ janus: 'list_sessions', admin_secret: SECRET });
      assert.ok(sessions.includes(session.id));
      assert.equal((await admin.request({ janus: 'list_sessions', admin_secret: 'wrong' })).error.code, 403);
      assert.equal((await client.request({ janus: 'list_sessions', admin_secret: SECRET })).error.code, 457);
      assert.deepEqual((await admin.refused('{"janus":')).error, { code: 456, reason: 'Missing mandatory element (transaction)' });
      client.close();
      admin.close();
    });

    test('a long packet is answered, one that no request may be long as gets a 454', ours, async () => {
      const client = await open(server, kind);
      assert.equal((await client.request({ janus: 'ping', filler: 'x'.repeat(100000) })).janus, 'pong');
      const refused = await client.refused('x'.repeat((1 << 20) + 1)).catch(error => error);
      /* The sender's own socket may not take so much: then nothing has come. */
      if (client.socket.words.every(([word]) => word !== 'failed'))
        assert.equal(refused.error.code, 454);
      assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
      client.close();
    });

    test('one who does not read does not keep others waiting', ours, async () => {
      const stuck = await open(server, kind), other = await open(server, kind);
      stuck.socket.say('stop-reading');
      for (let i = 0; i < 2000; i++)
        stuck.send({ janus: 'info', transaction: `s${i}` });
      for (let i = 0; i < 20; i++)
        assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
      stuck.socket.say('go-on');
      await stuck.next(m => m.transaction === 's0');
      other.close();
      stuck.close();
    });
  });
}

describe('clients that go', ours, () => {
  let server;
  before(async () => { server = await start('seqpacket', { core: { general: { session_timeout: 2 } } }); });
  after(async () => { await server?.stop(); });

  test('a closed connection ends its sessions', async () => {
    const client = await open(server, 'seqpacket'), other = await open(server, 'seqpacket');
    const session = await client.session();
    client.socket.terminate();
    await client.closed;
    for (let code = 0; code !== 458; await sleep(10))
      code = (await other.request({ janus: 'keepalive', session_id: session.id })).error?.code;
    other.close();
  });

  test('a session that times out is told, and its connection goes on', async () => {
    const client = await open(server, 'seqpacket');
    const session = await client.session();
    assert.equal((await client.next(m => m.janus === 'timeout')).session_id, session.id);
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.close();
  });

  test('the files of the sockets go with the server', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cardea-unix-')), path = join(folder, 'api');
    const other = await start('dgram', { general: { path } });
    assert.ok(existsSync(path));
    await other.stop();
    assert.ok(!existsSync(path));
    rmSync(folder, { recursive: true });
  });
});

describe('datagrams', ours, () => {
  let server;
  before(async () => { server = await start('dgram', { core: { general: { session_timeout: 60 } } }); });
  after(async () => { await server?.stop(); });

  test('who has no path of its own gets no answer', async () => {
    const nameless = await bridge(['python3', 'unix_peer.py', 'dgram', join(server.dir, 'api')]);
    nameless.send({ janus: 'ping', transaction: 'n' });
    const client = await open(server, 'dgram');
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    await nameless.nothing(() => true, 50);
    nameless.close();
    client.close();
  });

  test('a client that comes back at its path has its session still', async () => {
    const path = join(server.dir, 'again');
    const first = await bridge(['python3', 'unix_peer.py', 'dgram', join(server.dir, 'api'), path]);
    const session = await first.session();
    first.socket.terminate();
    await first.closed;
    unlinkSync(path);
    const second = await bridge(['python3', 'unix_peer.py', 'dgram', join(server.dir, 'api'), path]);
    assert.equal((await second.request({ janus: 'keepalive', session_id: session.id })).janus, 'ack');
    second.close();
  });
});
