// Denial of service from outside a session: floods of datagrams without a key, connections and sessions of one address, texts made to
// cost much. What they bring down is themselves (security.md, "a public node must also stand"; docs/SECURITY.md).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { connect } from './lib/client.mjs';
import { openPeer } from './lib/peer.mjs';
import { offer, parseSdp } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest';
const SLOW = /asan|tsan/.test(process.env.CARDEA_BIN ?? '') ? 20 : 1;
const FLOOD_MS = 1500;
const ours = { skip: IS_REFERENCE && 'ours' };

const rss = server => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);

/* A connection from another address of loopback. */
const from = (server, localAddress) => connect(server.ws, { localAddress });

describe('floods of datagrams', ours, () => {
  let server, client, target;
  const strangers = [];
  let heard = 0;

  before(async () => {
    server = await startServer({ name: 'api-dos-udp', core: { nat: { ice_enforce_list: '127.0.0.1' } } });
    client = await server.connect();
    const handle = await (await client.session()).attach(ECHO);
    const { jsep } = await handle.message({ audio: true }, offer());
    const lines = parseSdp(jsep.sdp).media[0].attributes;
    const [, , , , address, port] = lines.find(l => l.startsWith('a=candidate')).split(' ');
    target = { address, port: Number(port), ufrag: lines.find(l => l.startsWith('a=ice-ufrag:')).slice(12) };
    for (let i = 0; i < 20; i++) {
      const socket = dgram.createSocket('udp4');
      await new Promise(done => socket.bind(0, `127.0.0.${2 + i}`, done));
      socket.on('message', () => { heard++; });
      strangers.push(socket);
    }
  });
  after(async () => {
    for (const socket of strangers)
      socket.close();
    client?.close();
    await server?.stop();
  });

  function stun(type, attributes) {
    const body = Buffer.concat(attributes.map(([kind, value]) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(kind, 0);
      head.writeUInt16BE(value.length, 2);
      return Buffer.concat([head, value, Buffer.alloc((4 - value.length % 4) % 4)]);
    }));
    const head = Buffer.alloc(8);
    head.writeUInt16BE(type, 0);
    head.writeUInt16BE(body.length, 2);
    head.writeUInt32BE(0x2112a442, 4);
    return Buffer.concat([head, randomBytes(12), body]);
  }

  const makers = {
    'STUN without credentials': () => stun(1, []),
    'STUN with a wrong key': () => stun(1, [[6, Buffer.from(`${target.ufrag}:x`)], [8, randomBytes(20)]]),
    'STUN answers that nobody asked for': () => stun(0x101, [[0x20, Buffer.from('0001a1b2c3d4e5f6', 'hex')], [8, randomBytes(20)]]),
    'STUN of other methods': () => stun(3, [[0x19, Buffer.from('11000000', 'hex')]]),
    'DTLS ClientHello': () => Buffer.from('16fefd000000000000000000360100002a000000000000002afefd' + randomBytes(32).toString('hex') + '000000020000' + '0100', 'hex'),
    'RTP': () => Buffer.concat([Buffer.from([0x80, 111]), randomBytes(1198)]),
    'RTCP': () => Buffer.concat([Buffer.from([0x81, 201, 0, 7]), randomBytes(28)]),
  };

  for (const [name, make] of Object.entries(makers))
    test(`${name}, from twenty addresses: answered by nothing, and who has a call keeps it`, async () => {
      heard = 0;
      const peer = await openPeer();
      const handle = await (await client.session()).attach(ECHO);
      const { jsep } = await handle.message({ audio: true }, peer.offer());
      await peer.connect(jsep.sdp);
      await handle.next(m => m.janus === 'webrtcup');
      const before = rss(server);
      const end = Date.now() + FLOOD_MS / Object.keys(makers).length * 2;
      let sent = 0;
      while (Date.now() < end) {
        const batch = Array.from({ length: 100 }, (_, i) => new Promise(done => strangers[i % strangers.length].send(make(), target.port, target.address, done)));
        await Promise.all(batch);
        sent += batch.length;
      }
      assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
      await handle.nothing(m => m.janus === 'hangup', 100);
      assert.equal(heard, 0, 'no reflection');
      assert.ok(sent > 200);
      if (SLOW === 1)
        assert.ok(rss(server) - before < 4000, `${rss(server) - before} KB`);
      peer.close();
      await handle.session.destroy();
    });
});

describe('limits per address', ours, () => {
  test('connections: over max_clients_per_address they are closed at once, other addresses are served, and room is made by who leaves', async () => {
    const server = await startServer({ name: 'api-dos-clients', websockets: { general: { max_clients_per_address: 3 } }, ready: async s => { await sleep(300); return s.hasEnded() === null; } });
    const fits = [];
    for (let i = 0; i < 3; i++)
      fits.push(await from(server, '127.0.0.1'));
    await assert.rejects(from(server, '127.0.0.1'));
    const other = await from(server, '127.0.0.2');
    for (const client of [...fits, other])
      assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    await fits.pop().close();
    for (const deadline = Date.now() + 10000; ; await sleep(20)) {
      const again = await from(server, '127.0.0.1').catch(() => null);
      if (again !== null) {
        again.close();
        break;
      }
      assert.ok(Date.now() < deadline, 'room is made');
    }
    /* those that are refused leave nothing behind */
    await Promise.all(Array.from({ length: 200 }, () => new Promise(done => net.connect({ port: server.port, host: '127.0.0.1' }).on('error', done).on('close', done).resume())));
    assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
    for (const client of [...fits, other])
      client.close();
    await server.stop();
  });

  test('sessions: over max_sessions_per_address create gets 490, from however many connections; who ends one has room for another', async () => {
    const server = await startServer({ name: 'api-dos-sessions', core: { general: { max_sessions_per_address: 4, reclaim_session_timeout: 60 } } });
    const one = await from(server, '127.0.0.1'), two = await from(server, '127.0.0.1'), other = await from(server, '127.0.0.2');
    const sessions = [await one.session(), await one.session(), await two.session(), await two.session()];
    for (const client of [one, two]) {
      const reply = await client.request({ janus: 'create' });
      assert.equal(reply.janus, 'error');
      assert.equal(reply.error.code, 490);
    }
    await other.session();
    await sessions[0].destroy();
    await two.session();
    assert.equal((await one.request({ janus: 'create' })).error?.code, 490);
    /* a session that waits to be claimed still counts, and for who has created it */
    two.vanish();
    await sleep(100);
    assert.equal((await one.request({ janus: 'create' })).error?.code, 490);
    assert.equal((await other.request({ janus: 'claim', session_id: sessions[2].id })).janus, 'success');
    assert.equal((await one.request({ janus: 'create' })).error?.code, 490);
    assert.equal((await other.request({ janus: 'destroy', session_id: sessions[2].id })).janus, 'success');
    await one.session();
    one.close();
    other.close();
    await server.stop();
  });

  test('without the keys there is no such limit', async () => {
    const server = await startServer({ name: 'api-dos-none' });
    const clients = await Promise.all(Array.from({ length: 100 }, () => server.connect()));
    await Promise.all(clients.map(client => client.session()));
    for (const client of clients)
      client.close();
    await server.stop();
  });
});

test('hash flooding: a text with more names than anybody needs gets 454 at once, and one with many is answered', ours, async () => {
  const server = await startServer({ name: 'api-dos-names' });
  const client = await server.connect();
  const text = count => `{"janus":"ping","transaction":"names",${Array.from({ length: count }, (_, i) => `"k${i}":0`).join(',')}}`;
  assert.equal((await client.refused(text(1100))).error.code, 454);
  client.send(text(1000));
  assert.equal((await client.next(m => m.transaction === 'names')).janus, 'pong');
  client.close();
  await server.stop();
});
