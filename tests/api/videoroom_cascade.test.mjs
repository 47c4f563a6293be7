// Two servers with one room (videoroom.md 7): what is published on A is watched on B, with layers and keyframes, in the clear and
// sealed; and what is told when it comes, changes and goes.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startServer } from './lib/server.mjs';
import { openPeer } from './lib/peer.mjs';
import { pli, rtp } from './lib/srtp.mjs';

const ROOM = 'janus.plugin.videoroom';
const servers = {}, sessions = {}, admins = {}, clients = {}, open = [];

before(async () => {
  for (const name of ['A', 'B']) {
    servers[name] = await startServer({ name: `api-cascade-${name}`, rooms: { 'room-1': { publishers: 20, secret: 's' } } });
    clients[name] = await servers[name].connect();
    sessions[name] = await clients[name].session();
    admins[name] = await sessions[name].attach(ROOM);
  }
});

after(async () => {
  for (const thing of open)
    thing.close();
  for (const name of ['A', 'B']) {
    clients[name]?.close();
    await servers[name]?.stop();
  }
});

async function until(what, ms = 5000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(10)) {
    const got = await what();
    if (got)
      return got;
  }
  throw new Error(`it did not come to pass: ${what}`);
}

const on = (name, body) => admins[name].sync({ room: 1, secret: 's', ...body });

async function publish(media, id) {
  const handle = await sessions.A.attach(ROOM), peer = await openPeer();
  open.push(peer);
  await handle.message({ request: 'join', ptype: 'publisher', room: 1, id });
  const { jsep, data } = await handle.message({ request: 'publish' }, peer.offer({ media }));
  await peer.connect(jsep.sdp);
  await handle.next(m => m.janus === 'webrtcup');
  return { handle, peer, streams: data.streams };
}

async function watch(feed) {
  const handle = await sessions.B.attach(ROOM), peer = await openPeer();
  open.push(peer);
  const { jsep, data } = await handle.message({ request: 'join', ptype: 'subscriber', room: 1, streams: [{ feed }] });
  assert.equal(data.videoroom, 'attached', JSON.stringify(data));
  const answer = peer.answer(jsep.sdp);
  const [started] = await Promise.all([handle.message({ request: 'start' }, answer), peer.connect(jsep.sdp)]);
  assert.equal(started.data.started, 'ok');
  await handle.next(m => m.janus === 'webrtcup');
  return { handle, peer };
}

/* A cascade of `id` as `far`; back to whoever takes it down. */
async function cascade(publisher, id, far, srtp = {}) {
  const added = await on('B', { request: 'add_remote_publisher', id: far, display: 'far', streams: publisher.streams, ...srtp });
  assert.equal(added.videoroom, 'success', JSON.stringify(added));
  assert.ok(added.port >= 10000 && added.rtcp_port >= 10000);
  const made = await on('A', { request: 'publish_remotely', publisher_id: id, remote_id: 'B', host: '127.0.0.1', port: added.port, rtcp_port: added.rtcp_port, ...srtp });
  assert.deepEqual(made, { videoroom: 'success', room: 1, id, remote_id: 'B' });
  return added;
}

const vp8 = (key, text) => Buffer.concat([Buffer.from([0x10, key ? 0 : 1]), Buffer.from(text.padEnd(20))]);

for (const srtp of [{}, { srtp_suite: 80, srtp_crypto: randomBytes(30).toString('base64') }])
  test(`media reaches the other server's subscribers${srtp.srtp_suite ? ', as SRTP' : ''}; keyframes are asked for across; it ends on both sides`, async () => {
    const [id, far] = srtp.srtp_suite ? [11, 911] : [10, 910];
    const p = await publish([{ kind: 'audio', codecs: ['opus'] }, { kind: 'video', codecs: ['vp8'] }], id);
    const member = await sessions.B.attach(ROOM);
    await member.message({ request: 'join', ptype: 'publisher', room: 1 });
    const { port, rtcp_port } = await cascade(p, id, far, srtp);
    const { publishers: [told] } = await member.event(d => d.publishers !== undefined);
    assert.deepEqual(told.streams.map(s => [s.type, s.codec]), [['audio', 'opus'], ['video', 'vp8']]);
    assert.deepEqual(await on('A', { request: 'listremotes', publisher_id: id }),
      { videoroom: 'success', room: 1, id, list: [{ remote_id: 'B', host: '127.0.0.1', port, rtcp_port }] });

    p.peer.feedback.length = 0;
    const v = await watch(far);
    await until(() => p.peer.feedback.some(f => f.format === 1));        /* the new viewer's need has come across */
    let seq = 10;
    const frame = () => {
      p.peer.send({ ssrc: 1000, pt: 111, seq, ts: 960 * seq, ext: { 4: Buffer.from('0'), 1: Buffer.from([0x8a]) }, payload: Buffer.from(`audio ${seq}`) });
      p.peer.send({ ssrc: 1001, pt: 96, seq, ts: 3000 * seq, marker: true, ext: { 4: Buffer.from('1') }, payload: vp8(seq === 10, `video ${seq}`) });
      seq++;
    };
    for (let i = 0; i < 20; i++, await sleep(10))
      frame();
    const [audio, video] = await until(() => {
      const of = pt => v.peer.received.filter(packet => packet.pt === pt);
      return of(111).length >= 19 && of(96).length >= 19 && [of(111), of(96)];
    });
    for (const packets of [audio, video])
      packets.forEach((packet, i) => assert.equal(packet.seq, (packets[0].seq + i) & 0xffff));
    assert.equal(audio.at(-1).payload.toString(), 'audio 29');
    assert.equal(audio.at(-1).ext[1][0], 0x8a, 'levels come along');
    assert.equal(video.at(-1).payload.subarray(2).toString().trim(), 'video 29');
    /* A picture lost: the viewer's PLI walks back over both servers. */
    await sleep(1100);
    p.peer.feedback.length = 0;
    v.peer.send(Buffer.concat([Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1]), pli(video[0].ssrc)]));
    await until(() => p.peer.feedback.some(f => f.format === 1));

    assert.deepEqual(await on('A', { request: 'unpublish_remotely', publisher_id: id, remote_id: 'B' }), { videoroom: 'success', room: 1, id });
    assert.deepEqual(await on('B', { request: 'remove_remote_publisher', id: far }), { videoroom: 'success' });
    assert.equal((await member.event(d => d.leaving !== undefined)).leaving, far);
    const updated = await v.handle.event(d => d.videoroom === 'updated');
    assert.deepEqual(updated.streams.map(s => s.active), [false, false]);
    for (const handle of [p.handle, v.handle, member])
      await handle.detach();
  });

test('simulcast crosses with its layers, and the far subscriber chooses', async () => {
  const p = await publish([{ kind: 'video', codecs: ['vp8'], simulcast: true }], 20);
  await cascade(p, 20, 920);
  const v = await watch(920);
  let n = 1;
  const frames = async (count, key) => {
    for (let i = 0; i < count; i++, n++, await sleep(15))
      ['l', 'm', 'h'].forEach((rid, k) => p.peer.send({ ssrc: 9000 + k, pt: 96, seq: 100 * (k + 1) + n, ts: 3000 * n, marker: true,
        ext: { 4: Buffer.from('0'), 10: Buffer.from(rid) }, payload: vp8(key && i === 0, `${rid}${n}`) }));
  };
  const last = () => v.peer.received.at(-1)?.payload.subarray(2).toString().trim();
  await frames(10, true);
  await frames(10, true);
  await until(() => last()?.startsWith('h'));
  await v.handle.message({ request: 'configure', mid: '0', substream: 0 });
  await frames(10, true);
  await until(() => last()?.startsWith('l'));
  v.peer.received.forEach((packet, i) => assert.equal(packet.seq, (v.peer.received[0].seq + i) & 0xffff, 'no gap for the viewer'));
  await on('B', { request: 'remove_remote_publisher', id: 920 });
  await p.handle.detach();
  await v.handle.detach();
});

test('a renegotiated publisher is updated; both ends give back their sockets', async () => {
  const p = await publish([{ kind: 'audio', codecs: ['opus'] }], 30);
  await cascade(p, 30, 930);
  const more = await p.handle.message({ request: 'configure' }, p.peer.offer({ media: [{ kind: 'audio', codecs: ['opus'] }, { kind: 'video', codecs: ['vp8'] }], version: 3 }));
  assert.equal(more.data.streams.length, 2);
  assert.deepEqual(await on('B', { request: 'update_remote_publisher', id: 930, streams: more.data.streams }), { videoroom: 'success' });
  const v = await watch(930);
  p.peer.send({ ssrc: 1001, pt: 96, seq: 5, ts: 0, marker: true, ext: { 4: Buffer.from('1') }, payload: vp8(true, 'picture') });
  await until(() => v.peer.received.some(packet => packet.pt === 96));
  await p.handle.detach();
  assert.equal((await on('A', { request: 'listremotes', publisher_id: 30 })).error_code, 428);
  await on('B', { request: 'remove_remote_publisher', id: 930 });
  await v.handle.detach();
  assert.equal((await on('B', { request: 'remove_remote_publisher', id: 930 })).error_code, 428);
});

test('asked for once, it holds: before there is media, and from one publication to the next', async () => {
  const added = await on('B', { request: 'add_remote_publisher', id: 935, iface: 'lo', streams: [{ mid: '0', mindex: 0, type: 'audio', codec: 'opus' }] });
  assert.equal(added.ip, '127.0.0.1');
  const handle = await sessions.A.attach(ROOM);
  await handle.message({ request: 'join', ptype: 'publisher', room: 1, id: 35 });
  assert.equal((await on('A', { request: 'publish_remotely', publisher_id: 35, remote_id: 'B', host: '127.0.0.1', port: added.port, rtcp_port: added.rtcp_port })).videoroom, 'success');
  const v = await watch(935);
  for (let round = 0; round < 2; round++) {
    const peer = await openPeer();
    open.push(peer);
    const { jsep } = await handle.message({ request: 'publish' }, peer.offer({ media: [{ kind: 'audio', codecs: ['opus'] }] }));
    await peer.connect(jsep.sdp);
    await handle.next(m => m.janus === 'webrtcup');
    const text = `round ${round}`;
    for (let n = 0; n < 5; n++)
      peer.send({ ssrc: 1000 + round, pt: 111, seq: 100 + n, ts: 960 * n, ext: { 4: Buffer.from('0') }, payload: Buffer.from(text) });
    await until(() => v.peer.received.some(packet => packet.payload.toString() === text));
    await handle.message({ request: 'unpublish' });
    assert.equal((await on('A', { request: 'listremotes', publisher_id: 35 })).list.length, 1);
    await sleep(600);                    /* the same numbers again, after a silence, are of a stream that has begun anew */
  }
  await handle.message({ request: 'leave' });
  assert.equal((await on('A', { request: 'listremotes', publisher_id: 35 })).error_code, 428);
  await on('B', { request: 'remove_remote_publisher', id: 935 });
  await handle.detach();
  await v.handle.detach();
});

test('a multicast group is listened to', async () => {
  const streams = [{ mid: '0', mindex: 0, type: 'audio', codec: 'opus' }];
  const added = await on('B', { request: 'add_remote_publisher', id: 938, mcast: '239.255.70.7', iface: 'lo', streams });
  assert.equal(added.ip, '127.0.0.1', JSON.stringify(added));
  const v = await watch(938);
  const mouth = dgram.createSocket('udp4');
  await new Promise(done => mouth.bind(0, '127.0.0.1', done));
  mouth.setMulticastInterface('127.0.0.1');
  let seq = 0;
  await until(() => {
    mouth.send(rtp({ ssrc: 1000, pt: 111, seq, ts: 960 * seq++, ext: {}, payload: Buffer.from('to all') }), added.port, '239.255.70.7');
    return v.peer.received.some(packet => packet.payload.toString() === 'to all');
  });
  mouth.close();
  assert.equal((await on('B', { request: 'add_remote_publisher', id: 939, iface: 'nowhere0', streams })).error_code, 499);
  await on('B', { request: 'remove_remote_publisher', id: 938 });
  await v.handle.detach();
});

test('a port that is taken is 499, and the publisher is not there', async () => {
  const first = await on('B', { request: 'add_remote_publisher', id: 940, streams: [{ mid: '0', mindex: 0, type: 'audio', codec: 'opus' }] });
  for (const field of ['port', 'rtcp_port'])
    assert.equal((await on('B', { request: 'add_remote_publisher', id: 941, [field]: first.port, streams: [{ mid: '0', mindex: 0, type: 'audio', codec: 'opus' }] })).error_code, 499);
  assert.deepEqual((await on('B', { request: 'listparticipants' })).participants.filter(p => p.remote).map(p => p.id), [940]);
  const bound = await on('B', { request: 'add_remote_publisher', id: 942, iface: '127.0.0.1', streams: [{ mid: '0', mindex: 0, type: 'audio', codec: 'opus' }] });
  assert.equal(bound.ip, '127.0.0.1');
  await on('B', { request: 'kick', id: 942 });
  await on('B', { request: 'destroy' });
});
