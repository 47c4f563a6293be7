// Classes of defects from other servers' advisories that show at the API and at the sockets, each named after its id; and the check
// that every test that docs/SECURITY-TESTS.md names exists.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, ROOT, startServer } from './lib/server.mjs';
import { openPeer } from './lib/peer.mjs';
import { rawConnect, rawWebSocket, frame, TEXT } from './lib/raw.mjs';
import { offer, parseSdp } from './lib/sdp.mjs';

/* Disks answer a little later. */
async function until(check) {
  for (const end = Date.now() + 10000; !check();) {
    assert.ok(Date.now() < end, String(check));
    await sleep(20);
  }
}

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';

test('docs/SECURITY-TESTS.md: every file and every test that it names is there', () => {
  const text = readFileSync(join(ROOT, 'docs/SECURITY-TESTS.md'), 'utf8');
  let named = 0;
  let file = null;
  for (const [, quoted] of text.matchAll(/`([^`\n]+)`/g)) {
    if (/^tests\/\S+\.(c|mjs)$|^fuzz\/\S+\.c$/.test(quoted)) {
      assert.ok(existsSync(join(ROOT, quoted)), `${quoted} is not there`);
      file = { name: quoted, text: readFileSync(join(ROOT, quoted), 'utf8') };
      named++;
    } else if (file !== null) {
      assert.ok(file.text.includes(quoted), `${file.name} has no test called "${quoted}"`);
    }
  }
  assert.ok(named > 30, `${named}`);
});

describe('at the API', () => {
  let server;
  let client;
  before(async () => {
    server = await startServer({ name: 'api-security', rooms: { 'room-1': { publishers: 20, rec_dir: 'kept' } } });
    client = await server.connect();
  });
  after(async () => { client?.close(); await server?.stop(); });

  test('CVE-2026-110717: no name that a client gives leaves its folder', async t => {
    const listing = () => [server.dir, '/tmp', '/', ROOT].map(dir => readdirSync(dir).filter(name => /mjr|escape/.test(name)).join());
    const before = listing();
    const session = await client.session();
    const peer = await openPeer();
    t.after(() => peer.close());
    const climbing = ['../../escape', 'a/../../escape', '/tmp/../escape', 'escape\u0001', ' escape'];
    for (const filename of climbing) {
      const echo = await session.attach(ECHO);
      assert.equal((await echo.message({ audio: true, record: true, filename }, offer())).data.result, 'ok');
      await echo.detach();
    }
    /* With a rec_dir, whatever else the name says, it lies below. */
    const room = await session.attach(ROOM);
    const { jsep } = await room.message({ request: 'joinandconfigure', room: 1, ptype: 'publisher', record: true, filename: 'inside' }, peer.offer());
    await peer.connect(jsep.sdp);
    await until(() => existsSync(join(server.dir, 'kept', 'inside-audio-0.mjr')));
    for (const filename of [...climbing, '/tmp/escape', '~/escape', '..\\escape', '....//escape'])
      for (const record of [false, true])
        assert.equal((await room.message({ request: 'configure', record, filename })).data.configured, 'ok');
    await room.message({ request: 'configure', record: false });
    await room.detach();
    await until(() => readdirSync(join(server.dir, 'kept')).includes('..\\escape-video-1.mjr'));
    assert.deepEqual(readdirSync(join(server.dir, 'kept')).filter(name => name.includes('escape')).sort(), ['..\\escape-audio-0.mjr', '..\\escape-video-1.mjr']);
    assert.deepEqual(listing(), before);
    await session.destroy();
  });

  test('CVE-2020-13899: errors to what is no object say only what they should', async () => {
    for (const text of ['[]', '5', '"x"', 'null', '', '{', '[{}]', '{"janus":[]}', '{"transaction":"x","janus":{}}']) {
      const reply = await client.refused(text);
      assert.deepEqual(Object.keys(reply), ['janus', 'error'], text);
      assert.match(reply.error.reason, /^[\x20-\x7e]*$/);
    }
  });

  test('(k) a log that somebody wants to flood stays small', async () => {
    const before = server.log().length;
    const session = await client.session();
    for (let i = 0; i < 500; i++) {
      const raw = await rawConnect(server.port);
      raw.write(i % 2 ? 'GET /\0 HTTP/1.1\r\n\r\n' : randomBytes(100));
      raw.socket.destroy();
    }
    for (let i = 0; i < 300; i++) {
      const raw = await rawWebSocket(server.port);
      raw.write(i % 2 ? frame(3, 'x') : frame(TEXT, '\xff'));
      raw.socket.destroy();
    }
    const handle = await session.attach(ROOM);
    for (let i = 0; i < 2000; i++) {
      client.send('{broken');
      client.send({ janus: 'x'.repeat(300), transaction: 'x' });
      if (i < 200) {
        await handle.message({ request: 'y'.repeat(300) });
        await handle.message({ request: 'join', room: 1, ptype: 'subscriber', feed: 5 }, { type: 'offer', sdp: `v=0\r\n${'z'.repeat(300)}` });
        await handle.trickle({ sdpMid: '0', candidate: 'q'.repeat(300) });
        await handle.message({ request: 'rtp_forward' });
      }
    }
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.take();
    if (!IS_REFERENCE)
      assert.ok(server.log().length - before < 50000, `${server.log().length - before} bytes`);
  });
});

describe('at the media sockets', { skip: IS_REFERENCE && 'it has a socket for each call' }, () => {
  let server;
  let client;
  let target;
  let stranger;
  let heard = 0;

  before(async () => {
    server = await startServer({ name: 'api-security-udp', rooms: { 'room-1': {} } });
    client = await server.connect();
    const handle = await (await client.session()).attach(ECHO);
    const { jsep } = await handle.message({ audio: true }, offer());
    const lines = parseSdp(jsep.sdp).media[0].attributes;
    const [, , , , address, port] = lines.find(l => l.startsWith('a=candidate')).split(' ');
    target = { address, port: Number(port), ufrag: lines.find(l => l.startsWith('a=ice-ufrag:')).slice(12) };
    stranger = dgram.createSocket('udp4');
    await new Promise(done => stranger.bind(0, done));
    stranger.on('message', () => { heard++; });
  });
  after(async () => { stranger?.close(); client?.close(); await server?.stop(); });

  const send = data => new Promise(done => stranger.send(data, target.port, target.address, done));

  function check(username, broken) {
    const name = Buffer.from(username);
    const padded = Buffer.alloc(Math.ceil(name.length / 4) * 4);
    name.copy(padded);
    const head = Buffer.alloc(20);
    head.writeUInt16BE(1, 0);
    head.writeUInt16BE(4 + padded.length + 24, 2);
    head.writeUInt32BE(0x2112a442, 4);
    randomBytes(12).copy(head, 8);
    return Buffer.concat([head, Buffer.from([0, 6, name.length >> 8, name.length & 255]), padded, Buffer.from([0, 8, 0, 20]), randomBytes(20)]).subarray(0, broken);
  }

  test('(k) STUN with wrong keys, for peers that are there and that are not: answered by nothing', async () => {
    heard = 0;
    for (let i = 0; i < 5000; i++)
      await send(check(i % 2 ? `${target.ufrag}:x` : `${randomBytes(9).toString('base64url')}:x`, i % 7 ? undefined : i % 40));
    await sleep(200);
    assert.equal(heard, 0, 'no reflection');
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
  });

  test('Enable Security 2024, GHSA-hxj9, GHSA-39gv: a ClientHello from an address that ICE has not verified is nobody\'s', async () => {
    heard = 0;
    const hello = Buffer.from('16fefd000000000000000000360100002a000000000000002afefd' + randomBytes(32).toString('hex') + '000000020000' + '0100', 'hex');
    const peer = await openPeer();
    const handle = await (await client.session()).attach(ECHO);
    const { jsep } = await handle.message({ audio: true }, peer.offer());
    for (let i = 0; i < 200; i++)
      await send(hello);
    const connecting = peer.connect(jsep.sdp);
    for (let i = 0; i < 200; i++)
      await send(hello);
    await connecting;
    await handle.next(m => m.janus === 'webrtcup');
    for (let i = 0; i < 200; i++)
      await send(hello);
    await sleep(200);
    assert.equal(heard, 0);
    await handle.nothing(m => m.janus === 'hangup', 200);
    peer.close();
    await handle.session.destroy();
  });

  test('GHSA-jh42: noise of every first byte from anywhere, and from the peer itself, ends no call', async () => {
    heard = 0;
    const peer = await openPeer();
    const handle = await (await client.session()).attach(ECHO);
    const { jsep } = await handle.message({ audio: true }, peer.offer());
    await peer.connect(jsep.sdp);
    await handle.next(m => m.janus === 'webrtcup');
    for (let i = 0; i < 3000; i++) {
      const noise = randomBytes(i % 1500);
      if (noise.length > 0)
        noise[0] = i & 255;
      await send(noise);
      await new Promise(done => peer.socket.send(noise, target.port, target.address, done));
    }
    await handle.nothing(m => m.janus === 'hangup', 500);
    assert.equal(heard, 0);
    assert.equal((await handle.hangup()).janus, 'success');
    peer.close();
    await handle.session.destroy();
  });

  test('.local candidates and names are acknowledged and never looked up', async () => {
    const handle = await (await client.session()).attach(ECHO);
    await handle.message({ audio: true }, offer({ candidates: ['candidate:1 1 udp 1 0f6a5a3c-8d10-4ccd-8e69-5b9a9ad1ae06.local 5000 typ host', 'candidate:2 1 udp 1 example.org 5000 typ host'] }));
    const begun = Date.now();
    for (let i = 0; i < 200; i++)
      assert.equal((await handle.trickle({ sdpMid: '0', candidate: `candidate:1 1 udp 1 x${i}.local 5000 typ host` })).janus, 'ack');
    assert.ok(Date.now() - begun < 5000);
    await handle.session.destroy();
  });
});

describe('what is shipped', { skip: IS_REFERENCE && 'ours' }, () => {
  test('CVE-2026-108831: conf/ sets no secret, and is on loopback', () => {
    for (const name of readdirSync(join(ROOT, 'conf'))) {
      const text = readFileSync(join(ROOT, 'conf', name), 'utf8').replace(/#.*/g, '');
      assert.doesNotMatch(text, /(secret|admin_key|pin|pwd|token)\s*[=:]/i, name);
    }
    assert.match(readFileSync(join(ROOT, 'conf/janus.transport.websockets.jcfg'), 'utf8'), /ws_ip = "127\.0\.0\.1"/);
  });

  for (const secret of ['adminpwd', 'supersecret', 'janusoverlord'])
    test(`CVE-2026-108831: the sample secret ${secret} opens nothing, and that is said`, async () => {
      const server = await startServer({ name: 'api-security-sample', rooms: { 'room-1': { secret }, 'room-2': { secret: 'my own' } } });
      const client = await server.connect();
      const handle = await (await client.session()).attach(ROOM);
      for (const request of ['edit', 'destroy', 'kick', 'allowed', 'moderate'])
        assert.equal((await handle.sync({ request, room: 1, secret, id: 5, action: 'disable', mid: '0', mute: true })).error_code, 433, request);
      assert.equal((await handle.sync({ request: 'edit', room: 2, secret: 'my own' })).videoroom, 'edited');
      assert.equal((await handle.message({ request: 'join', room: 1, ptype: 'publisher' })).data.videoroom, 'joined');
      await server.logged(/room-1 has a secret from a sample file/);
      assert.ok(!server.log().includes(secret));
      client.close();
      await server.stop();
    });
});
