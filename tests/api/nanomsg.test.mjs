// The Janus API over Nanomsg (transports.md 7), against a peer that uses the library itself: both APIs, both modes, and a peer that goes,
// does not read, or floods.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';

import { bridge } from './lib/bridge.mjs';
import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { jcfg } from './lib/jcfg.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom', SECRET = 'drawbridge';
const ours = { skip: IS_REFERENCE && 'not tried against the reference yet' };

const peer = (mode, address) => bridge(['python3', 'nanomsg_peer.py', 'pair', mode, address]);

function start({ general = {}, admin, core } = {}) {
  return startServer({
    name: 'api-nanomsg', core: { ...core, transports: { disable: '' }, general: { admin_secret: SECRET, ...core?.general } },
    files: { 'janus.transport.nanomsg.jcfg': jcfg({ general: { enabled: true, address: 'ipc://api', ...general }, ...(admin && { admin: { admin_enabled: true, ...admin } }) }) },
  });
}

describe('Nanomsg', ours, () => {
  let server, client;
  before(async () => {
    server = await start({ admin: { admin_address: 'ipc://admin' } });
    client = await peer('connect', `ipc://${join(server.dir, 'api')}`);
  });
  after(async () => { client?.close(); await server?.stop(); });

  test('a session from its creation to its end', async () => {
    assert.equal((await client.request({ janus: 'info' })).transports['janus.transport.nanomsg'].version, 1);
    const session = await client.session();
    const handle = await session.attach(ECHO);
    const { event } = await handle.message({ audio: true });
    assert.equal(event.plugindata.data.result, 'ok');
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    assert.equal((await handle.detach()).janus, 'success');
    await handle.next(m => m.janus === 'detached');
    assert.equal((await session.destroy()).janus, 'success');
    assert.equal((await session.request({ janus: 'keepalive' })).error.code, 458);
  });

  test('what is no JSON, no object, empty, long', async () => {
    assert.match((await client.refused('{"janus":')).error.reason, /^Invalid Janus API request - <string>\(1,\d+\): /);
    assert.equal((await client.refused('[1]')).error.code, 456);
    assert.equal((await client.refused('{} {}')).error.code, 454);
    assert.equal((await client.refused('')).error.code, 454);
    assert.equal((await client.request({ janus: 'ping', filler: 'x'.repeat(1_000_000) })).janus, 'pong');
  });

  test('the Admin API has a socket of its own', async () => {
    const admin = await peer('connect', `ipc://${join(server.dir, 'admin')}`);
    const session = await client.session();
    assert.ok((await admin.request({ janus: 'list_sessions', admin_secret: SECRET })).sessions.includes(session.id));
    assert.equal((await admin.request({ janus: 'list_sessions', admin_secret: 'wrong' })).error.code, 403);
    assert.equal((await admin.refused('{"janus":')).error.code, 456);
    assert.equal((await client.request({ janus: 'list_sessions', admin_secret: SECRET })).error.code, 457);
    admin.close();
  });

  test('a flood is answered, one who does not read keeps nobody waiting', async () => {
    const other = await server.connect();
    client.socket.say('stop-reading');
    const count = 1000;
    for (let i = 0; i < count; i++)
      client.send({ janus: 'ping', transaction: `f${i}` });
    for (let i = 0; i < 20; i++)
      assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
    client.socket.say('go-on');
    for (let i = 0; i < count; i++)
      await client.next(m => m.transaction === `f${i}`);
    other.close();
  });

  test('a peer that goes and comes back has its session still, and what was said meanwhile', async () => {
    const session = await client.session(), handle = await session.attach(ROOM);
    const { room } = await handle.sync({ request: 'create' });
    await handle.message({ request: 'join', ptype: 'publisher', room });
    client.socket.terminate();
    await client.closed;
    const other = await server.connect();
    const remover = await (await other.session()).attach(ROOM);
    client = await peer('connect', `ipc://${join(server.dir, 'api')}`);
    await client.request({ janus: 'ping' });
    await remover.sync({ request: 'destroy', room });
    assert.equal((await client.next(m => m.sender === handle.id && m.plugindata?.data.videoroom === 'destroyed')).plugindata.data.room, room);
    assert.equal((await client.request({ janus: 'keepalive', session_id: session.id })).janus, 'ack');
    other.close();
  });
});

describe('Nanomsg in its other mode', ours, () => {
  test('the server connects; an address that is none, a mode that is none, the secret of the sample files', async () => {
    const port = await freePort();
    const client = await peer('bind', `tcp://127.0.0.1:${port}`);
    const server = await start({ general: { address: `tcp://127.0.0.1:${port}`, mode: 'connect' }, admin: { admin_address: 'nowhere' } });
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    assert.match(server.log(), /admin_nanomsg: can't use nowhere/);
    client.close();
    await server.stop();
    const sample = await start({ general: { mode: 'sideways' }, admin: { admin_address: 'tcp://*:5556' }, core: { general: { admin_secret: 'janusoverlord' } } });
    assert.match(sample.log(), /mode = "sideways" is neither bind nor connect/);
    assert.match(sample.log(), /admin_address: not opened/);
    await sample.stop();
  });
});
