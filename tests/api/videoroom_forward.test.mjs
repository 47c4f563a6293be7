// RTP forwarders (videoroom.md 6): what a publisher sends arrives at sockets outside, as it was or as it was asked for.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startServer } from './lib/server.mjs';
import { openPeer } from './lib/peer.mjs';
import { parseRtp, pli, srtp } from './lib/srtp.mjs';

const ROOM = 'janus.plugin.videoroom';
let server, client, session, admin;
const open = [];

before(async () => {
  server = await startServer({ name: 'api-forward', rooms: { 'room-1': { publishers: 20, secret: 's' }, 'room-2': {} } });
  client = await server.connect();
  session = await client.session();
  admin = await session.attach(ROOM);
});

after(async () => {
  for (const thing of open)
    thing.close();
  client?.close();
  await server?.stop();
});

/* A socket outside: what came, and from where. */
async function ear() {
  const socket = dgram.createSocket('udp4');
  await new Promise(done => socket.bind(0, '127.0.0.1', done));
  const heard = { port: socket.address().port, packets: [], from: [], socket, send: (data, port) => socket.send(data, port, '127.0.0.1'), close: () => socket.close() };
  socket.on('message', (data, from) => { heard.packets.push(data); heard.from.push(from); });
  open.push(heard);
  return heard;
}

async function until(what, ms = 5000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(10)) {
    const got = await what();
    if (got)
      return got;
  }
  throw new Error(`it did not come to pass: ${what}`);
}

const say = (body, more = {}) => admin.sync({ room: 1, secret: 's', ...more, ...body });
const refused = async (body, code, more) => assert.equal((await say(body, more)).error_code, code, JSON.stringify(body));

let ids = 100;
async function publish(media = [{ kind: 'audio', codecs: ['opus'] }, { kind: 'video', codecs: ['vp8'] }], room = 1) {
  const handle = await session.attach(ROOM), peer = await openPeer(), id = ids++;
  open.push(peer);
  await handle.message({ request: 'join', ptype: 'publisher', room, id });
  const { jsep } = await handle.message({ request: 'publish' }, peer.offer({ media }));
  await peer.connect(jsep.sdp);
  await handle.next(m => m.janus === 'webrtcup');
  const numbers = { audio: { ssrc: 1000, pt: 111, seq: 500, ts: 9000, step: 960 }, video: { ssrc: 1001, pt: 96, seq: 65530, ts: 4000, step: 3000 } };
  const send = (kind, count = 5, ext = {}) => {
    const n = numbers[kind];
    for (let i = 0; i < count; i++, n.seq++, n.ts += n.step)
      peer.send({ ssrc: n.ssrc, pt: n.pt, seq: n.seq, ts: n.ts, marker: kind === 'video', ext: { 4: Buffer.from(kind === 'audio' ? '0' : '1'), ...ext },
        payload: Buffer.concat([Buffer.from([0x10, 0x01]), Buffer.from(`${kind} ${n.seq & 0xffff}`)]) });
  };
  return { id, handle, peer, send };
}

describe('packets', () => {
  test('go out as the publisher sent them: type, SSRC, numbers, time, extensions, bytes', async () => {
    const p = await publish(), [audio, video] = [await ear(), await ear()];
    const reply = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [{ mid: '0', port: audio.port }, { mid: '1', port: video.port }] });
    assert.equal(reply.videoroom, 'rtp_forward');
    const shown = reply.forwarders.map(({ stream_id, ...more }) => more);
    assert.deepEqual(shown, [{ host: '127.0.0.1', port: audio.port, type: 'audio' }, { host: '127.0.0.1', port: video.port, type: 'video' }]);
    p.send('audio');
    p.send('video', 5, { 13: Buffer.from([3]) });
    await until(() => video.packets.length === 5);
    p.send('video', 5, { 13: Buffer.from([3]) });
    await until(() => audio.packets.length >= 5 && video.packets.length >= 10);
    audio.packets.map(parseRtp).forEach((packet, i) => {
      assert.deepEqual({ ...packet, ext: packet.ext[4].toString(), payload: packet.payload.subarray(2).toString() },
        { ssrc: 1000, pt: 111, marker: false, seq: 500 + i, ts: 9000 + i * 960, ext: '0', payload: `audio ${500 + i}` });
    });
    video.packets.map(parseRtp).forEach((packet, i) => {
      assert.equal(packet.seq, (65530 + i) & 0xffff);
      assert.equal(packet.ssrc, 1001);
      assert.deepEqual([...packet.ext[13]], [3]);
    });
    assert.equal(new Set([...audio.from, ...video.from].map(from => from.port)).size, 1, 'one socket for all of a publisher');

    const listed = await say({ request: 'listforwarders' });
    assert.deepEqual(listed.publishers, [{ publisher_id: p.id, forwarders: reply.forwarders }]);
    const stop = reply.forwarders[0].stream_id;
    assert.deepEqual(await say({ request: 'stop_rtp_forward', publisher_id: p.id, stream_id: stop }),
      { videoroom: 'stop_rtp_forward', room: 1, publisher_id: p.id, stream_id: stop });
    await refused({ request: 'stop_rtp_forward', publisher_id: p.id, stream_id: stop }, 428);
    const [had, hadVideo] = [audio.packets.length, video.packets.length];
    p.send('audio');
    p.send('video');
    await until(() => video.packets.length === hadVideo + 5);
    assert.equal(audio.packets.length, had, 'a stopped forwarder is silent');
    await p.handle.message({ request: 'unpublish' });
    assert.deepEqual((await say({ request: 'listforwarders' })).publishers, []);
  });

  test('type and SSRC as asked for; a muted stream is silent', async () => {
    const p = await publish(), audio = await ear();
    const reply = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [{ mid: '0', port: audio.port, pt: 96, ssrc: 4242 }] });
    assert.deepEqual({ pt: reply.forwarders[0].pt, ssrc: reply.forwarders[0].ssrc }, { pt: 96, ssrc: 4242 });
    p.send('audio');
    await until(() => audio.packets.length === 5);
    for (const packet of audio.packets.map(parseRtp))
      assert.deepEqual([packet.pt, packet.ssrc], [96, 4242]);
    await say({ request: 'moderate', id: p.id, mid: '0', mute: true });
    p.send('audio', 20);
    await sleep(200);
    assert.equal(audio.packets.length, 5);
    await p.handle.detach();
  });

  for (const suite of [80, 32])
    test(`SRTP, suite ${suite}: opened with the key, and not without`, async () => {
      const p = await publish(), audio = await ear(), key = randomBytes(30);
      const reply = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', srtp_suite: suite, srtp_crypto: key.toString('base64'),
        streams: [{ mid: '0', port: audio.port }] });
      assert.equal(reply.forwarders[0].srtp, true);
      p.send('audio');
      await until(() => audio.packets.length === 5);
      const theirs = srtp(key.subarray(0, 16), key.subarray(16), suite === 80 ? 10 : 4), wrong = srtp(randomBytes(16), key.subarray(16), suite === 80 ? 10 : 4);
      for (const [i, packet] of audio.packets.entries()) {
        assert.equal(wrong.open(packet), null);
        assert.equal(parseRtp(theirs.open(packet)).payload.subarray(2).toString(), `audio ${500 + i}`);
      }
      await p.handle.detach();
    });

  test('the old form: the first stream of each kind, and a keyframe is asked for', async () => {
    const p = await publish(), [audio, video] = [await ear(), await ear()];
    p.peer.feedback.length = 0;
    const { rtp_stream: made, ...rest } = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', audio_port: audio.port, audio_pt: 100, video_port: video.port,
      video_ssrc: 77 });
    assert.deepEqual(rest, { videoroom: 'rtp_forward', room: 1, publisher_id: p.id });
    const { audio_stream_id, video_stream_id, ...shown } = made;
    assert.ok(audio_stream_id > 0 && video_stream_id > 0);
    assert.deepEqual(shown, { audio: audio.port, video: video.port, host: '127.0.0.1', warning: 'deprecated_api' });
    await until(() => p.peer.feedback.some(f => f.format === 1));
    p.send('audio');
    p.send('video');
    await until(() => audio.packets.length === 5 && video.packets.length === 5);
    assert.equal(parseRtp(audio.packets[0]).pt, 100);
    assert.equal(parseRtp(video.packets[0]).ssrc, 77);
    await p.handle.detach();
  });

  test('an RTCP port: two empty packets open the way, PLI and FIR ask the publisher', async () => {
    const p = await publish(), [video, rtcp] = [await ear(), await ear()];
    const { forwarders: [made] } = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [{ mid: '1', port: video.port, rtcp_port: rtcp.port }] });
    assert.equal(made.remote_rtcp_port, rtcp.port);
    await until(() => rtcp.packets.length === 2);
    assert.ok(rtcp.packets.every(packet => packet.equals(Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11)]))));
    assert.equal(rtcp.from[0].port, made.local_rtcp_port);
    p.peer.feedback.length = 0;
    rtcp.send(pli(12345), made.local_rtcp_port);
    await until(() => p.peer.feedback.some(f => f.format === 1));
    await say({ request: 'stop_rtp_forward', publisher_id: p.id, stream_id: made.stream_id });
    await sleep(400);
    p.peer.feedback.length = 0;
    rtcp.send(pli(12345), made.local_rtcp_port);
    await sleep(300);
    assert.deepEqual(p.peer.feedback.filter(f => f.format === 1), [], 'the way back ended with the forwarder');
    await p.handle.detach();
  });

  test('simulcast: layers to ports of their own, or the best one as one stream', async () => {
    const p = await publish([{ kind: 'video', codecs: ['vp8'], simulcast: true }]);
    const ears = [await ear(), await ear(), await ear(), await ear()];
    const { forwarders } = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [
      { mid: '0', port: ears[0].port, port_2: ears[1].port, port_3: ears[2].port, ssrc_2: 22 }, { mid: '0', port: ears[3].port, simulcast: true }] });
    assert.deepEqual(forwarders.map(f => f.substream ?? 0), [0, 1, 2, 0]);
    /* A keyframe of VP8 begins with a bit of 0 (RFC 7741 4.3). Layers by their rid, lowest first in time. */
    for (let frame = 0; frame < 10; frame++) {
      ['l', 'm', 'h'].forEach((rid, k) => p.peer.send({ ssrc: 9000 + k, pt: 96, seq: 100 * (k + 1) + frame, ts: 3000 * frame, marker: true,
        ext: { 4: Buffer.from('0'), 10: Buffer.from(rid) }, payload: Buffer.concat([Buffer.from([0x10, frame === 0 ? 0 : 1]), Buffer.from(`${rid}${frame}`.padEnd(20))]) }));
      await sleep(20);
    }
    await until(() => ears.every(e => e.packets.length >= 10));
    ears.slice(0, 3).forEach((e, k) => e.packets.map(parseRtp).forEach((packet, i) => {
      assert.equal(packet.ssrc, k === 1 ? 22 : 9000 + k);
      assert.equal(packet.payload.subarray(2).toString().trim(), `${'lmh'[k]}${i}`);
    }));
    const best = ears[3].packets.map(parseRtp);
    best.forEach((packet, i) => {
      assert.equal(packet.ssrc, forwarders[3].stream_id);
      assert.equal(packet.seq, (best[0].seq + i) & 0xffff);
    });
    assert.equal(best.at(-1).payload.subarray(2).toString().trim(), 'h9', 'the highest layer is taken up');
    await p.handle.detach();
  });
});

describe('hosts', () => {
  test('names are looked up, by family; what can\'t be found is 430', async () => {
    const p = await publish(), audio = await ear();
    const forward = more => say({ request: 'rtp_forward', publisher_id: p.id, host: 'localhost', host_family: 'ipv4', ...more });
    const { forwarders } = await forward({ streams: [{ mid: '0', port: audio.port }] });
    assert.equal(forwarders[0].host, '127.0.0.1');
    p.send('audio');
    await until(() => audio.packets.length === 5);
    for (const host of ['no-such-host.invalid', 'x'.repeat(300), '', 'printer.local', '999.1.1.1'])
      await refused({ request: 'rtp_forward', publisher_id: p.id, host, streams: [{ mid: '0', port: 5000 }] }, 430);
    await refused({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [{ mid: '0', port: 5000, host: 'no-such-host.invalid' }] }, 430);
    await refused({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', host_family: 'ipv6', streams: [{ mid: '0', port: 5000 }] }, 430);
    await refused({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', host_family: 'ipx', streams: [] }, 430);
    await p.handle.detach();
  });

  test('a publisher that leaves while a name is looked up is a feed that is gone, and others are served meanwhile', async () => {
    const p = await publish();
    const late = say({ request: 'rtp_forward', publisher_id: p.id, host: 'no-such-host.invalid', streams: [{ mid: '0', port: 5000 }] });
    assert.equal((await p.handle.message({ request: 'leave' })).data.leaving, 'ok');
    assert.ok([428, 430].includes((await late).error_code));
  });
});

describe('what is refused', () => {
  let p;
  before(async () => { p = await publish(); });
  const base = { request: 'rtp_forward', host: '127.0.0.1', streams: [] };

  test('fields, rooms, publishers, secrets', async () => {
    const ask = { ...base, publisher_id: p.id };
    await refused({ ...ask, host: undefined }, 429);
    await refused({ ...ask, host: 7 }, 430);
    await refused({ ...ask, publisher_id: undefined }, 429);
    await refused({ ...ask, publisher_id: 'x' }, 430);
    await refused({ ...ask, publisher_id: 999 }, 428);
    await refused({ ...ask, room: 77 }, 426);
    await refused({ ...ask, secret: undefined }, 429);
    await refused({ ...ask, secret: 'no' }, 433);
    for (const stream of [{}, { mid: '0' }, { mid: 5, port: 1 }, 7])
      assert.ok([429, 430].includes((await say({ ...ask, streams: [stream] })).error_code));
    for (const stream of [{ port: 65536 }, { port: -1 }, { port: 5000, pt: 128 }, { port: 5000, rtcp_port: 70000 }])
      await refused({ ...ask, streams: [{ mid: '0', ...stream }] }, 430);
    await refused({ ...ask, srtp_suite: 64, srtp_crypto: 'AAAA' }, 430);
    await refused({ request: 'stop_rtp_forward', publisher_id: p.id }, 429);
    await refused({ request: 'stop_rtp_forward', publisher_id: p.id, stream_id: 5 }, 428);
    await refused({ request: 'listforwarders', secret: 'no' }, 433);
    assert.deepEqual((await say({ ...ask, streams: [{ mid: 'nobody', port: 5000 }] })).forwarders, []);
    assert.deepEqual((await say({ ...ask, srtp_suite: 80, srtp_crypto: 'c2hvcnQ=', streams: [{ mid: '0', port: 5000 }] })).forwarders, [],
      'a key that is too short makes no forwarder');
  });

  test('beyond so many of one publisher: 499, and those that are there stay', async () => {
    const streams = Array.from({ length: 250 }, () => ({ mid: '0', port: 9 }));
    assert.equal((await say({ ...base, publisher_id: p.id, streams })).forwarders.length, 250);
    await refused({ ...base, publisher_id: p.id, streams }, 499);
    assert.equal((await say({ request: 'listforwarders' })).publishers.find(q => q.publisher_id === p.id).forwarders.length, 250);
  });
});

/* The server that this one succeeds hung here: a lock was kept on the way out of the error. */
describe('no socket to be had', { skip: !existsSync('/usr/bin/prlimit') && 'prlimit (util-linux) is not installed' }, () => {
  const limit = value => execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${value}`]);
  const descriptors = () => readdirSync(`/proc/${server.pid}/fd`).map(Number).sort((a, b) => a - b);

  /* So that `free` more descriptors can be opened. */
  function leave(free) {
    const taken = new Set(descriptors());
    let at = 0;
    for (let left = free; taken.has(at) || left-- > 0; at++);
    limit(`${at}:`);
  }

  for (const free of [0, 1, 2])
    test(`socket ${free + 1} of three fails: 499, nothing is left, and everybody is answered`, async () => {
      const p = await publish(), before = descriptors().length, old = execFileSync('prlimit', ['--pid', String(server.pid), '--nofile', '--output=SOFT', '--noheadings']).toString().trim();
      const echo = await session.attach('janus.plugin.echotest'), elsewhere = await session.attach(ROOM);
      await elsewhere.message({ request: 'join', ptype: 'publisher', room: 2 });
      leave(free);
      try {
        const ask = say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1',
          streams: [{ mid: '0', port: 5002, rtcp_port: 5003 }, { mid: '1', port: 5004, rtcp_port: 5005 }] });
        const began = performance.now();
        const others = [
          p.handle.message({ request: 'configure', bitrate: 500000 }), say({ request: 'listforwarders' }), say({ request: 'listparticipants' }),
          say({ request: 'moderate', id: p.id, mid: '0', mute: false }), say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [] }),
          elsewhere.message({ request: 'configure', display: 'x' }), elsewhere.sync({ request: 'list' }), echo.message({ audio: false }), session.request({ janus: 'keepalive' }),
          session.client.request({ janus: 'ping' })];
        assert.deepEqual(await ask, { videoroom: 'event', error_code: 499, error: 'Could not open UDP socket for RTP stream' });
        await Promise.all(others);
        console.log(`    all ${others.length} others answered in ${(performance.now() - began).toFixed(1)} ms`);
      } finally {
        limit(`${old}:`);
      }
      assert.equal(descriptors().length, before, 'a descriptor was left');
      assert.equal((await say({ request: 'listforwarders' })).publishers.find(q => q.publisher_id === p.id), undefined);
      const made = await say({ request: 'rtp_forward', publisher_id: p.id, host: '127.0.0.1', streams: [{ mid: '0', port: 5002, rtcp_port: 5003 }] });
      assert.equal(made.forwarders.length, 1, 'it works when there are descriptors again');
      assert.equal((await p.handle.message({ request: 'unpublish' })).data.unpublished, 'ok');
      await until(() => descriptors().length === before);
      for (const handle of [p.handle, echo, elsewhere])
        await handle.detach();
    });
});

describe('the administrator\'s key', () => {
  let other;
  before(async () => { other = await startServer({ name: 'api-forward-locked', videoroom: { admin_key: 'k', lock_rtp_forward: true }, rooms: { 'room-1': {} } }); });
  after(() => other?.stop());

  test('lock_rtp_forward asks for it', async () => {
    const c = await other.connect(), handle = await (await c.session()).attach(ROOM);
    const ask = { request: 'rtp_forward', room: 1, publisher_id: 5, host: '127.0.0.1', streams: [] };
    assert.equal((await handle.sync(ask)).error_code, 429);
    assert.equal((await handle.sync({ ...ask, admin_key: 'x' })).error_code, 433);
    assert.equal((await handle.sync({ ...ask, admin_key: 'k' })).error_code, 428);
    assert.equal((await handle.sync({ request: 'stop_rtp_forward', room: 1, publisher_id: 5, stream_id: 1 })).error_code, 429);
    c.close();
  });
});
