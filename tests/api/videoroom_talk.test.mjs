// Who talks, by the levels in the packets (videoroom.md 14.4), told to all; and the dummy publisher (14.8), whose place is filled
// by a switch.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startServer } from './lib/server.mjs';
import { openPeer } from './lib/peer.mjs';

const ROOM = 'janus.plugin.videoroom';
let server, client, session;
const open = [];

before(async () => {
  server = await startServer({ name: 'api-talk', rooms: { 'room-1': { audiolevel_event: true, audio_active_packets: 10, audio_level_average: 40 }, 'room-3': { audiocodec: 'red,opus' }, 'room-2': { dummy_publisher: true, videocodec: 'vp8,h264' } } });
  client = await server.connect();
  session = await client.session();
});

after(async () => {
  for (const thing of open)
    thing.close();
  client?.close();
  await server?.stop();
});

async function publish(room, id, media) {
  const handle = await session.attach(ROOM), peer = await openPeer();
  open.push(peer);
  await handle.message({ request: 'join', ptype: 'publisher', room, id });
  const { jsep } = await handle.message({ request: 'publish' }, peer.offer({ media }));
  await peer.connect(jsep.sdp);
  await handle.next(m => m.janus === 'webrtcup');
  return { handle, peer };
}

test('talking and stopped-talking go to everybody, the speaker too', async () => {
  const listener = await session.attach(ROOM);
  await listener.message({ request: 'join', ptype: 'publisher', room: 1 });
  const p = await publish(1, 5, [{ kind: 'audio', codecs: ['opus'] }]);
  let seq = 1;
  const speak = (level, count) => {
    for (let i = 0; i < count; i++, seq++)
      p.peer.send({ ssrc: 1000, pt: 111, seq, ts: 960 * seq, ext: { 4: Buffer.from('0'), 1: Buffer.from([level]) }, payload: Buffer.from('x') });
  };
  speak(20, 10);
  const talking = await listener.event(d => d.videoroom === 'talking');
  assert.deepEqual(talking, { videoroom: 'talking', room: 1, id: 5, mindex: 0, mid: '0', 'audio-level-dBov-avg': 20 });
  await p.handle.event(d => d.videoroom === 'talking');
  const listed = await listener.sync({ request: 'listparticipants', room: 1 });
  assert.equal(listed.participants.find(q => q.id === 5).talking, true);
  speak(20, 30);
  await sleep(100);
  speak(127, 20);
  const stopped = await listener.event(d => d.videoroom === 'stopped-talking' || d.videoroom === 'talking');
  assert.equal(stopped.videoroom, 'stopped-talking', 'no news in between');
  await p.handle.message({ request: 'configure', audio: false });
  speak(1, 40);
  await listener.nothing(m => m.plugindata?.data.videoroom === 'talking', 200);
  await p.handle.detach();
});

test('a place kept by the dummy is filled by a switch', async () => {
  const viewer = await session.attach(ROOM), peer = await openPeer();
  open.push(peer);
  const { participants: [dummy] } = await viewer.sync({ request: 'listparticipants', room: 2 });
  assert.deepEqual({ ...dummy, id: 0 }, { id: 0, display: 'Dummy publisher', dummy: true, publisher: true });
  const { jsep, data } = await viewer.message({ request: 'join', ptype: 'subscriber', room: 2, streams: [{ feed: dummy.id, mid: '1' }] });
  assert.deepEqual(data.streams.map(s => [s.type, s.codec, s.active]), [['video', 'vp8', true]]);
  await Promise.all([viewer.message({ request: 'start' }, peer.answer(jsep.sdp)), peer.connect(jsep.sdp)]);
  await viewer.next(m => m.janus === 'webrtcup');
  const p = await publish(2, 6, [{ kind: 'video', codecs: ['vp8'] }]);
  const switched = await viewer.message({ request: 'switch', streams: [{ feed: 6, mid: '0', sub_mid: '0' }] });
  assert.equal(switched.data.changes, 1);
  for (let i = 0; i < 20 && peer.received.length === 0; i++, await sleep(50))
    p.peer.send({ ssrc: 1000, pt: 96, seq: i, ts: 3000 * i, marker: true, ext: { 4: Buffer.from('0') }, payload: Buffer.concat([Buffer.from([0x10, 0]), Buffer.alloc(20)]) });
  assert.ok(peer.received.length > 0);
  await p.handle.detach();
  await viewer.detach();
});

test('RED for Opus: whole for who takes it, unwrapped for who does not', async () => {
  const p = await publish(3, 7, [{ kind: 'audio', codecs: ['red', 'opus'] }]);
  const watch = async change => {
    const handle = await session.attach(ROOM), peer = await openPeer();
    open.push(peer);
    const { jsep } = await handle.message({ request: 'join', ptype: 'subscriber', room: 3, streams: [{ feed: 7 }] });
    assert.match(jsep.sdp, /^m=audio 9 UDP\/TLS\/RTP\/SAVPF 120 111\r$/m);
    const answer = peer.answer(jsep.sdp);
    await Promise.all([handle.message({ request: 'start' }, { ...answer, sdp: change(answer.sdp) }), peer.connect(jsep.sdp)]);
    await handle.next(m => m.janus === 'webrtcup');
    return { handle, peer };
  };
  const takes = await watch(sdp => sdp), doesNot = await watch(sdp => sdp.replace('SAVPF 120 111', 'SAVPF 111').replace(/a=(rtpmap|fmtp):120 .*\r\n/g, ''));
  const block = Buffer.concat([Buffer.from([0x80 | 111, 0x0f, 0, 3, 111]), Buffer.from('oldnew')]);
  for (let i = 0; i < 40 && (takes.peer.received.length < 4 || doesNot.peer.received.length < 4); i++, await sleep(20)) {
    p.peer.send({ ssrc: 1000, pt: 63, seq: 2 * i, ts: 1920 * i, ext: { 4: Buffer.from('0') }, payload: block });
    p.peer.send({ ssrc: 1000, pt: 111, seq: 2 * i + 1, ts: 1920 * i + 960, ext: { 4: Buffer.from('0') }, payload: Buffer.from('new') });
  }
  assert.deepEqual(new Set(takes.peer.received.map(r => `${r.pt} ${r.payload.length}`)), new Set(['120 11', '111 3']));
  assert.deepEqual(new Set(doesNot.peer.received.map(r => `${r.pt} ${r.payload}`)), new Set(['111 new']));
  for (const handle of [p.handle, takes.handle, doesNot.handle])
    await handle.detach();
});
