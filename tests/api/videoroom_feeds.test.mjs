// Rooms with people in them whose PeerConnections are up: what is announced, subscribing and everything a subscriber may ask,
// and what each of them hears when somebody goes (videoroom.md 8-11, 13.3, 19). No media: the peers only shake hands.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { openPeer } from './lib/peer.mjs';
import { offer, parseSdp } from './lib/sdp.mjs';

const ROOM = 'janus.plugin.videoroom';
const ours = why => ({ skip: IS_REFERENCE && why });

let server;
let client;
let session;
let nextRoom = 1000;
const peers = [];
const handles = [];

before(async () => {
  server = await startServer({ name: 'api-feeds' });
  client = await server.connect();
  session = await client.session();
});

afterEach(async () => {
  await Promise.all(handles.splice(0).map(handle => handle.detach().catch(() => {})));
  for (const peer of peers.splice(0))
    peer.close();
  client.take();
});

after(async () => {
  client?.close();
  await server?.stop();
});

async function attach() {
  const handle = await session.attach(ROOM);
  handles.push(handle);
  return handle;
}

/* A room of its own for each test, so that nobody hears of others. */
async function newRoom(more = {}) {
  const handle = await attach();
  const { room } = await handle.sync({ request: 'create', room: nextRoom++, publishers: 20, videocodec: 'vp8,h264', audiocodec: 'opus,pcmu', ...more });
  return room;
}

async function newPeer() {
  const peer = await openPeer();
  peers.push(peer);
  return peer;
}

async function observer(room, more = {}) {
  const handle = await attach();
  const { data } = await handle.message({ request: 'join', room, ptype: 'publisher', ...more });
  assert.equal(data.videoroom, 'joined', JSON.stringify(data));
  return { handle, id: data.id, data };
}

/* In the room, publishing, its PeerConnection up. */
async function publisher(room, { media, jsep, ...more } = {}) {
  const { handle, id, data } = await observer(room, more);
  const peer = await newPeer();
  const published = await handle.message({ request: 'publish', descriptions: more.descriptions }, { ...peer.offer(media ? { media } : {}), ...jsep });
  assert.equal(published.data.configured, 'ok', JSON.stringify(published));
  await peer.connect(published.jsep.sdp);
  await handle.next(m => m.janus === 'webrtcup');
  return { handle, id, peer, data, answer: published.jsep, own: published.data };
}

async function subscribe(room, streams, more = {}) {
  const handle = await attach();
  const reply = await handle.message({ request: 'join', room, ptype: 'subscriber', streams, ...more });
  return { handle, ...reply };
}

/* Subscribed, and its PeerConnection up. */
async function viewer(room, streams, more = {}) {
  const subscribed = await subscribe(room, streams, more);
  assert.equal(subscribed.data.videoroom, 'attached', JSON.stringify(subscribed.data));
  const peer = await newPeer();
  const started = await subscribed.handle.message({ request: 'start' }, peer.answer(subscribed.jsep.sdp));
  assert.equal(started.data.started, 'ok', JSON.stringify(started.data));
  await peer.connect(subscribed.jsep.sdp);
  await subscribed.handle.next(m => m.janus === 'webrtcup');
  return { ...subscribed, peer };
}

const answerTo = (handle, peer, jsep) => handle.message({ request: 'start' }, peer.answer(jsep.sdp));
const directions = jsep => parseSdp(jsep.sdp).media.map(m => m.direction);

function assertCode(data, code) {
  assert.equal(data.error_code, code, JSON.stringify(data));
  assert.equal(data.videoroom, 'event');
}

describe('a publisher', () => {
  test('is announced to the others once its PeerConnection is up, to newcomers in their list', async () => {
    const room = await newRoom();
    const watcher = await observer(room, { display: 'watcher' });
    const p = await publisher(room, { display: 'Al', metadata: { a: 1 } });
    const told = await watcher.handle.event(d => d.publishers);
    assert.equal(told.room, room);
    assert.equal(told.publishers.length, 1);
    const [one] = told.publishers;
    assert.equal(one.id, p.id);
    assert.equal(one.display, 'Al');
    if (!IS_REFERENCE)
      assert.deepEqual(one.metadata, { a: 1 });
    assert.equal(one.audio_codec, 'opus');
    assert.equal(one.video_codec, 'vp8');
    assert.deepEqual(one.streams.map(s => [s.type, s.mindex, s.mid, s.codec]), [['audio', 0, '0', 'opus'], ['video', 1, '1', 'vp8']]);
    assert.equal(one.streams[0].fec, true);
    const { data } = await observer(room);
    assert.equal(data.publishers.length, 1);
    assert.deepEqual(data.publishers[0].streams.map(s => s.mid), ['0', '1']);
    const { participants } = await watcher.handle.sync({ request: 'listparticipants', room });
    assert.deepEqual(participants.filter(q => q.publisher).map(q => q.id), [p.id]);
    await p.handle.nothing(m => m.plugindata?.data.publishers, 100);
  });

  test('publishes once (434), unpublishes once (435), and may do so again', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    assertCode((await p.handle.message({ request: 'publish' }, p.peer.offer({ version: 3 }))).data, 434);
    const watcher = await observer(room);
    assert.deepEqual((await p.handle.message({ request: 'unpublish' })).data, { videoroom: 'event', room, unpublished: 'ok' });
    assert.equal((await watcher.handle.event(d => d.unpublished)).unpublished, p.id);
    const hangup = await p.handle.next(m => m.janus === 'hangup');
    assert.equal(hangup.reason, 'Close PC');
    assertCode((await p.handle.message({ request: 'unpublish' })).data, 435);
    const again = await newPeer();
    const { jsep } = await p.handle.message({ request: 'publish' }, again.offer());
    await again.connect(jsep.sdp);
    await p.handle.next(m => m.janus === 'webrtcup');
    assert.equal((await watcher.handle.event(d => d.publishers)).publishers[0].id, p.id);
  });

  test('over the number of publishers: 432; once somebody has gone, the same handle may', async () => {
    const room = await newRoom({ publishers: 1 });
    const first = await publisher(room);
    const second = await observer(room);
    const peer = await newPeer();
    assertCode((await second.handle.message({ request: 'publish' }, peer.offer())).data, 432);
    await first.handle.message({ request: 'unpublish' });
    if (IS_REFERENCE)
      return;                              /* the refused offer stays there until a hangup */
    const { data, jsep } = await second.handle.message({ request: 'publish' }, peer.offer());
    assert.equal(data.configured, 'ok', JSON.stringify(data));
    await peer.connect(jsep.sdp);
    await second.handle.next(m => m.janus === 'webrtcup');
  });

  test('a renegotiation: its own answer, then the others hear of all streams', async () => {
    const room = await newRoom();
    const watcher = await observer(room);
    const p = await publisher(room, { media: [{ kind: 'audio' }] });
    assert.equal((await watcher.handle.event(d => d.publishers)).publishers[0].streams.length, 1);
    const { data, jsep } = await p.handle.message({ request: 'configure' }, p.peer.offer({ version: 3, media: [{ kind: 'audio' }, { kind: 'video' }] }));
    assert.equal(data.configured, 'ok');
    assert.equal(parseSdp(jsep.sdp).media.length, 2);
    assert.deepEqual((await watcher.handle.event(d => d.publishers)).publishers[0].streams.map(s => s.type), ['audio', 'video']);
  });

  test('a description is announced, again when it changes', async () => {
    const room = await newRoom();
    const watcher = await observer(room);
    const p = await publisher(room, { descriptions: [{ mid: '1', description: 'camera' }] });
    assert.equal((await watcher.handle.event(d => d.publishers)).publishers[0].streams[1].description, 'camera');
    await p.handle.message({ request: 'configure', descriptions: [{ mid: '1', description: 'screen' }, { mid: '9', description: 'nothing' }] });
    assert.equal((await watcher.handle.event(d => d.publishers)).publishers[0].streams[1].description, 'screen');
  });

  test('streams[]: mids needed with more than one, unknown ones 428, sending off and on', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    assertCode((await p.handle.message({ request: 'configure', streams: [{ send: false }, { send: true }] })).data, 430);
    assertCode((await p.handle.message({ request: 'configure', streams: [{ mid: '7', send: false }] })).data, 428);
    for (const body of [{ streams: [{ mid: '1', send: false }] }, { streams: [{ mid: '1', send: true }, { mid: '0', send: true }] }, { mid: '1', send: false }, { keyframe: true }, { bitrate: 0 },
      { bitrate: 128000 }, { audio: false, video: true, data: false }, { min_delay: 5, max_delay: 3 }, { streams: [{ mid: '1', min_delay: -1 }] }])
      assert.equal((await p.handle.message({ request: 'configure', ...body })).data.configured, 'ok', JSON.stringify(body));
  });

  test('leaves: the others hear it, its own handle is of no more use', async () => {
    const room = await newRoom();
    const watcher = await observer(room);
    const p = await publisher(room, { display: 'Al' });
    await watcher.handle.event(d => d.publishers);
    assert.deepEqual((await p.handle.message({ request: 'leave' })).data, { videoroom: 'event', room, leaving: 'ok' });
    const left = await watcher.handle.event(d => d.leaving !== undefined);
    assert.deepEqual(left, { videoroom: 'event', room, leaving: p.id, ...(!IS_REFERENCE && { display: 'Al' }) });
    assertCode((await p.handle.message({ request: 'publish' }, p.peer.offer({ version: 4 }))).data, 426);
    assertCode((await p.handle.message({ request: 'join', room, ptype: 'publisher' })).data, 425);
    await watcher.handle.nothing(m => m.plugindata?.data.leaving, 100);
  });

  for (const [way, go, hears] of [['detach', p => p.handle.detach(), ['unpublished', 'leaving']], ['a hangup', p => p.handle.hangup(), ['unpublished']], ['closing its PeerConnection', p => p.peer.bye(), ['unpublished']]])
    test(`goes by ${way}: the others hear ${hears.join(', then ')}`, async () => {
      const room = await newRoom();
      const watcher = await observer(room);
      const p = await publisher(room);
      await watcher.handle.event(d => d.publishers);
      await go(p);
      for (const key of hears)
        assert.equal((await watcher.handle.event(d => d[key] !== undefined))[key], p.id);
      if (!IS_REFERENCE)
        await watcher.handle.nothing(() => true, 100);
    });

  test('is kicked: it is told why, the others hear kicked and nothing else', async () => {
    const room = await newRoom();
    const watcher = await observer(room);
    const p = await publisher(room, { display: 'Bob' });
    await watcher.handle.event(d => d.publishers);
    assert.deepEqual(await watcher.handle.sync({ request: 'kick', room, id: p.id }), { videoroom: 'success' });
    assert.deepEqual(await p.handle.event(), { videoroom: 'event', room, leaving: 'ok', reason: 'kicked' });
    assert.deepEqual(await watcher.handle.event(), { videoroom: 'event', room, kicked: p.id, ...(!IS_REFERENCE && { display: 'Bob' }) });
    assert.equal((await p.handle.next(m => m.janus === 'hangup')).reason, 'Close PC');
    if (!IS_REFERENCE)
      await watcher.handle.nothing(() => true, 100);
  });

  test('is moderated: everybody hears it, itself too; newcomers see it', async () => {
    const room = await newRoom();
    const watcher = await observer(room);
    const p = await publisher(room);
    for (const [mute, word] of [[true, 'muted'], [true, 'muted'], [false, 'unmuted']]) {
      assert.deepEqual(await watcher.handle.sync({ request: 'moderate', room, id: p.id, mid: '1', mute }), { videoroom: 'success' });
      for (const { handle } of [watcher, p])
        assert.deepEqual(await handle.event(d => d.moderation), { videoroom: 'event', room, id: p.id, mid: '1', moderation: word });
    }
    assertCode(await watcher.handle.sync({ request: 'moderate', room, id: p.id, mid: '9', mute: true }), 428);
    await watcher.handle.sync({ request: 'moderate', room, id: p.id, mid: '0', mute: true });
    assert.equal((await observer(room)).data.publishers[0].streams[0].moderated, true);
  });

  test('its room is destroyed: everybody in it is told, the PeerConnections go', async () => {
    const room = await newRoom();
    const watcher = await observer(room);
    const p = await publisher(room);
    assert.equal((await watcher.handle.sync({ request: 'destroy', room })).videoroom, 'destroyed');
    for (const { handle } of [watcher, p])
      assert.deepEqual(await handle.event(d => d.videoroom === 'destroyed'), { videoroom: 'destroyed', room });
    assert.equal((await p.handle.next(m => m.janus === 'hangup')).reason, 'Close PC');
    assertCode((await p.handle.message({ request: 'configure' })).data, 426);
  });
});

describe('subscribing', () => {
  test('a whole feed: one m-line each, in its order, and an offer as rooms make them', async () => {
    const room = await newRoom();
    const p = await publisher(room, { display: 'Al' });
    const { data, jsep, ack } = await subscribe(room, [{ feed: p.id, crossrefid: 'tile' }]);
    assert.equal(ack.hint, undefined);
    assert.deepEqual(Object.keys(data), ['videoroom', 'room', 'streams']);
    assert.deepEqual(data.streams.map(s => [s.type, s.active, s.mindex, s.mid, s.crossrefid, s.ready, s.send, s.feed_id, s.feed_display, s.feed_mid, s.codec]),
      [['audio', true, 0, '0', 'tile', false, true, p.id, 'Al', '0', 'opus'], ['video', true, 1, '1', 'tile', false, true, p.id, 'Al', '1', 'vp8']]);
    assert.equal(jsep.type, 'offer');
    const sdp = parseSdp(jsep.sdp);
    assert.ok(sdp.session.includes(`s=VideoRoom ${room}`));
    assert.deepEqual(sdp.media.map(m => [m.kind, m.port, m.mid, m.direction]), [['audio', 9, '0', 'sendonly'], ['video', 9, '1', 'sendonly']]);
    assert.equal(sdp.media[0].payloads[0], '111');
    assert.equal(sdp.media[1].payloads[0], '96');
    const has = (i, line) => assert.ok(sdp.media[i].attributes.includes(`a=${line}`), `${line}: ${sdp.media[i].attributes.join('\n')}`);
    has(0, 'rtpmap:111 opus/48000/2');
    has(0, 'extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level');
    has(0, 'extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid');
    has(1, 'extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time');
    has(1, 'extmap:13 urn:3gpp:video-orientation');
    for (const feedback of ['ccm fir', 'nack', 'nack pli', 'goog-remb'])
      has(1, `rtcp-fb:96 ${feedback}`);
    has(0, 'msid:janus janus0');
    assert.equal(sdp.media[0].attributes.filter(a => a.startsWith('a=setup:')).join(), 'a=setup:actpass');
  });

  test('one stream by its mid, the same twice, several feeds', async () => {
    const room = await newRoom();
    const [p, q] = [await publisher(room), await publisher(room)];
    const one = await subscribe(room, [{ feed: p.id, mid: '1' }]);
    assert.deepEqual(one.data.streams.map(s => [s.type, s.mid, s.feed_mid]), [['video', '0', '1']]);
    const twice = await subscribe(room, [{ feed: p.id, mid: '1' }, { feed: p.id, mid: '1' }]);
    assert.deepEqual(twice.data.streams.map(s => s.mid), ['0', '1']);
    const both = await subscribe(room, [{ feed: q.id, mid: '0' }, { feed: p.id }]);
    assert.deepEqual(both.data.streams.map(s => [s.feed_id, s.feed_mid]), [[q.id, '0'], [p.id, '0'], [p.id, '1']]);
  });

  test('use_msid says whose stream it is', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { jsep } = await subscribe(room, [{ feed: p.id }], { use_msid: true });
    assert.deepEqual(parseSdp(jsep.sdp).media.map(m => m.attributes.find(a => a.startsWith('a=msid:'))), [`a=msid:${p.id} 0`, `a=msid:${p.id} 1`]);
  });

  test('the old way, by feed: id, warning, and kinds that may be left out', async () => {
    const room = await newRoom();
    const p = await publisher(room, { display: 'Al' });
    const handle = await attach();
    const { data, jsep } = await handle.message({ request: 'join', room, ptype: 'subscriber', feed: p.id, offer_video: false });
    assert.equal(data.id, p.id);
    assert.equal(data.display, 'Al');
    assert.equal(data.warning, 'deprecated_api');
    assert.deepEqual(data.streams.map(s => s.type), ['audio']);
    assert.equal(parseSdp(jsep.sdp).media.length, 1);
    const none = await attach();
    assertCode((await none.message({ request: 'join', room, ptype: 'subscriber', feed: p.id, offer_video: false, offer_audio: false })).data, 437);
  });

  test('what is not there or cannot be: 428, 430, 423', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const passive = await observer(room);
    for (const [streams, code] of [[[{ feed: 5 }], 428], [[{ feed: passive.id }], 428], [[{ feed: p.id, mid: '9' }], 428], [[{ feed: p.id, substream: 3 }], 430], [[{ feed: p.id, temporal: 3 }], 430],
      [[{ feed: p.id, mid: '1', spatial_layer: 7 }], 430], [[{ feed: p.id, mid: '1', temporal_layer: 2147483648 }], 430], [[{ feed: p.id }, { feed: 5 }], 428]])
      assertCode((await subscribe(room, streams)).data, code);
    const handle = await attach();
    if (!IS_REFERENCE)
      assertCode((await handle.message({ request: 'join', room, ptype: 'subscriber', streams: [{ feed: p.id }] }, offer())).data, 423);
    assert.equal((await handle.message({ request: 'join', room, ptype: 'subscriber', streams: [{ feed: p.id }] })).data.videoroom, 'attached', 'the handle may try again');
    assertCode((await handle.message({ request: 'join', room, ptype: 'subscriber', streams: [{ feed: p.id }] })).data, 425);
  });

  test('require_pvtid: only with the private id of somebody in the room', async () => {
    const room = await newRoom({ require_pvtid: true });
    const p = await publisher(room);
    const member = await observer(room);
    for (const private_id of [undefined, 0, 5, 4294967295, 4294967296 + member.data.private_id])
      assertCode((await subscribe(room, [{ feed: p.id }], { private_id })).data, 433);
    assert.equal((await subscribe(room, [{ feed: p.id }], { private_id: member.data.private_id })).data.videoroom, 'attached');
  });

  test('end-to-end encrypted and plain feeds do not mix: 438', ours('later versions only'), async () => {
    const room = await newRoom();
    const [plain, secret] = [await publisher(room), await publisher(room, { jsep: { e2ee: true } })];
    assert.equal(secret.answer.e2ee, true);
    assertCode((await subscribe(room, [{ feed: plain.id }, { feed: secret.id }])).data, 438);
    assertCode((await subscribe(room, [{ feed: secret.id }, { feed: plain.id }])).data, 438);
    const { handle, data, jsep } = await subscribe(room, [{ feed: secret.id }]);
    assert.equal(data.videoroom, 'attached');
    assert.equal(jsep.e2ee, true);
    assertCode((await handle.message({ request: 'subscribe', streams: [{ feed: plain.id }] })).data, 438);
  });

  test('require_e2ee: plain offers are refused with 433', async () => {
    const room = await newRoom({ require_e2ee: true });
    const { handle } = await observer(room);
    const peer = await newPeer();
    assertCode((await handle.message({ request: 'publish' }, peer.offer())).data, 433);
    if (!IS_REFERENCE)
      assert.equal((await handle.message({ request: 'publish' }, { ...peer.offer(), e2ee: true })).data.configured, 'ok');
  });
});

describe('a subscriber', () => {
  test('starts, pauses, starts again', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle } = await viewer(room, [{ feed: p.id }]);
    assert.deepEqual((await handle.message({ request: 'pause' })).data, { videoroom: 'event', room, paused: 'ok' });
    assert.deepEqual((await handle.message({ request: 'start', room: 1 })).data, { videoroom: 'event', room, started: 'ok' });
    assert.deepEqual((await handle.message({ request: 'configure', streams: [{ mid: '0', send: false }, { mid: '1', send: true }] })).data, { videoroom: 'event', room, configured: 'ok' });
    assertCode((await handle.message({ request: 'configure', streams: [{ send: false }, { mid: '1' }] })).data, 430);
    assertCode((await handle.message({ request: 'configure', streams: [{ mid: '9', send: true }] })).data, 428);
    assertCode((await handle.message({ request: 'configure', streams: [{ mid: '1', substream: 3 }] })).data, 430);
    for (const body of [{ video: false }, { audio: true, data: false }, { substream: 1, temporal: 1, fallback: 1 }, { mid: '1', spatial_layer: 2, temporal_layer: 0 }, { min_delay: 1, max_delay: 2 }])
      assert.equal((await handle.message({ request: 'configure', ...body })).data.configured, 'ok', JSON.stringify(body));
  });

  test('an offer of its own: 431; verbs of publishers: 423', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle } = await viewer(room, [{ feed: p.id }]);
    for (const request of ['publish', 'unpublish', 'joinandconfigure'])
      assertCode((await handle.message({ request })).data, 423);
    if (!IS_REFERENCE)
      assertCode((await handle.message({ request: 'start' }, offer({ version: 5 }))).data, 431);
  });

  test('adds and takes away: update, with an offer each time', async () => {
    const room = await newRoom();
    const [p, q] = [await publisher(room), await publisher(room)];
    const { handle, peer } = await viewer(room, [{ feed: p.id, mid: '1' }]);
    const added = await handle.message({ request: 'update', subscribe: [{ feed: q.id }] });
    assert.equal(added.data.videoroom, 'updated');
    assert.deepEqual(added.data.streams.map(s => [s.type, s.mid, s.feed_id, s.active]), [['video', '0', p.id, true], ['audio', '1', q.id, true], ['video', '2', q.id, true]]);
    assert.deepEqual(directions(added.jsep), ['sendonly', 'sendonly', 'sendonly']);
    assert.equal((await answerTo(handle, peer, added.jsep)).data.started, 'ok');

    const gone = await handle.message({ request: 'update', unsubscribe: [{ feed: p.id }] });
    assert.deepEqual(gone.data.streams.map(s => s.active), [false, true, true]);
    assert.equal(gone.data.streams[0].feed_id, undefined);
    assert.deepEqual(directions(gone.jsep), ['inactive', 'sendonly', 'sendonly']);
    await answerTo(handle, peer, gone.jsep);

    const recycled = await handle.message({ request: 'update', unsubscribe: [{ feed: q.id, mid: '1' }], subscribe: [{ feed: p.id, mid: '1', crossrefid: 'again' }, { feed: p.id, mid: '0' }] });
    assert.deepEqual(recycled.data.streams.map(s => [s.type, s.feed_id, s.feed_mid, s.active, s.crossrefid]),
      [['video', p.id, '1', true, 'again'], ['audio', q.id, '0', true, undefined], ['video', undefined, undefined, false, undefined], ['audio', p.id, '0', true, undefined]]);
    assert.equal(recycled.data.streams[0].mid, '0', 'the first inactive line of its kind is used again');
    await answerTo(handle, peer, recycled.jsep);

    const bySub = await handle.message({ request: 'unsubscribe', streams: [{ sub_mid: '1' }] });
    assert.deepEqual(bySub.data.streams.map(s => s.active), [true, false, false, true]);
    await answerTo(handle, peer, bySub.jsep);
  });

  test('nothing changes: updated, without streams and without an offer', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle } = await viewer(room, [{ feed: p.id }]);
    for (const body of [{ request: 'update', unsubscribe: [{ feed: 5 }] }, { request: 'unsubscribe', streams: [{ feed: p.id, mid: '9' }, { sub_mid: '9' }] }]) {
      const { data, jsep } = await handle.message(body);
      assert.deepEqual(data, { videoroom: 'updated', room });
      assert.equal(jsep, undefined);
    }
  });

  test('what update wants: lists, and something in them', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle } = await viewer(room, [{ feed: p.id }]);
    assertCode((await handle.message({ request: 'update' })).data, 429);
    for (const body of [{ request: 'update', subscribe: [] }, { request: 'update', unsubscribe: [] }, { request: 'subscribe', streams: [] }, { request: 'unsubscribe', streams: [] }])
      assertCode((await handle.message(body)).data, 430);
    assertCode((await handle.message({ request: 'update', subscribe: [{ feed: p.id }], unsubscribe: [{ mid: 5 }] })).data, 430);
    assertCode((await handle.message({ request: 'subscribe', streams: [{ feed: 5 }] })).data, 428);
    assertCode((await handle.message({ request: 'subscribe', streams: [{ feed: p.id, mid: '9' }] })).data, 428);
    if (!IS_REFERENCE)                     /* it crashes */
      assertCode((await handle.message({ request: 'subscribe', streams: [{ feed: p.id, substream: 3 }] })).data, 430);
  });

  test('before it has answered: updating, and one offer for all of it afterwards', async () => {
    const room = await newRoom();
    const [p, q] = [await publisher(room), await publisher(room)];
    const { handle, jsep } = await subscribe(room, [{ feed: p.id }]);
    for (const body of [{ subscribe: [{ feed: q.id, mid: '0' }] }, { subscribe: [{ feed: q.id, mid: '1' }] }]) {
      const { data, jsep: none } = await handle.message({ request: 'update', ...body });
      assert.deepEqual(data, { videoroom: 'updating', room });
      assert.equal(none, undefined);
    }
    const peer = await newPeer();
    assert.equal((await answerTo(handle, peer, jsep)).data.started, 'ok');
    const later = await handle.next(m => m.janus === 'event' && m.plugindata.data.videoroom === 'updated');
    assert.equal(later.transaction, undefined);
    assert.deepEqual(later.plugindata.data.streams.map(s => s.feed_id), [p.id, p.id, q.id, q.id]);
    assert.equal(parseSdp(later.jsep.sdp).media.length, 4);
    await answerTo(handle, peer, later.jsep);
    await handle.nothing(m => m.plugindata?.data.videoroom === 'updated', 100);
  });

  test('an ICE restart: an offer with other credentials', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle, jsep, peer } = await viewer(room, [{ feed: p.id }]);
    const again = await handle.message({ request: 'configure', restart: true });
    assert.equal(again.data.configured, 'ok');
    assert.equal(again.jsep.type, 'offer');
    const ufrag = sdp => /a=ice-ufrag:(\S+)/.exec(sdp)[1];
    assert.notEqual(ufrag(again.jsep.sdp), ufrag(jsep.sdp));
    assert.equal((await answerTo(handle, peer, again.jsep)).data.started, 'ok');
    const forced = await handle.message({ request: 'configure', update: true });
    assert.equal(ufrag(forced.jsep.sdp), ufrag(again.jsep.sdp));
  });

  test('versions of its offers only rise', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle, jsep, peer } = await viewer(room, [{ feed: p.id }]);
    let version = 0n;
    let current = jsep;
    for (let i = 0; i < 5; i++) {
      const now = BigInt(/^o=\S+ \S+ (\d+)/m.exec(current.sdp)[1]);
      assert.ok(now > version);
      version = now;
      await answerTo(handle, peer, current);
      current = (await handle.message({ request: 'configure', update: true })).jsep;
    }
  });

  test('switch: another source on the same line; what does not fit is left', async () => {
    const room = await newRoom();
    const [p, q] = [await publisher(room), await publisher(room)];
    const other = await publisher(room, { media: [{ kind: 'audio' }, { kind: 'video', codecs: ['h264'] }] });
    const { handle } = await viewer(room, [{ feed: p.id }]);
    const swap = async streams => (await handle.message({ request: 'switch', streams })).data;
    const done = await swap([{ feed: q.id, mid: '1', sub_mid: '1' }]);
    assert.equal(done.switched, 'ok');
    assert.equal(done.changes, 1);
    assert.deepEqual(done.streams.map(s => s.feed_id), [p.id, q.id]);
    assert.equal((await swap([{ feed: q.id, mid: '1', sub_mid: '1' }])).changes, 0, 'the same');
    assert.equal((await swap([{ feed: q.id, mid: '1', sub_mid: '9' }])).changes, 0, 'no such line');
    assert.equal((await swap([{ feed: q.id, mid: '1', sub_mid: '0' }])).changes, 0, 'another kind');
    assert.equal((await swap([{ feed: other.id, mid: '1', sub_mid: '1' }])).changes, 0, 'another codec');
    assertCode(await swap([{ feed: 5, mid: '1', sub_mid: '1' }]), 428);
    assertCode(await swap([{ feed: p.id, mid: '9', sub_mid: '1' }]), 428);
    assertCode(await swap([{ feed: p.id, mid: '1' }]), 429);
    assertCode(await swap([]), 428);
    if (!IS_REFERENCE) {
      const legacy = await handle.message({ request: 'switch', feed: q.id });
      assert.equal(legacy.data.switched, 'ok');
    }
  });

  test('leaves: left, its PeerConnection goes, the handle is of no more use', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle } = await viewer(room, [{ feed: p.id }]);
    assert.deepEqual((await handle.message({ request: 'leave' })).data, { videoroom: 'event', room, left: 'ok' });
    assert.equal((await handle.next(m => m.janus === 'hangup')).reason, 'Close PC');
    for (const request of IS_REFERENCE ? [] : ['start', 'pause', 'subscribe', 'update'])
      assert.ok((await handle.message({ request, subscribe: [{ feed: p.id }], streams: [{ feed: p.id }] })).data.error_code >= 423);
  });
});

describe('when a source goes', () => {
  test('by unpublish: the subscriber gets a new offer before the others hear of it', async () => {
    const room = await newRoom();
    const [p, q] = [await publisher(room), await publisher(room)];
    const { handle, peer } = await viewer(room, [{ feed: p.id }, { feed: q.id, mid: '0' }]);
    const watcher = await observer(room);
    const order = [];
    client.socket.on('message', data => {
      const message = JSON.parse(String(data));
      const d = message.plugindata?.data;
      if (d?.videoroom === 'updated' || d?.unpublished !== undefined)
        order.push(d.videoroom === 'updated' ? 'updated' : d.unpublished === 'ok' ? 'ok' : 'unpublished');
    });
    await p.handle.message({ request: 'unpublish' });
    const updated = await handle.next(m => m.plugindata?.data.videoroom === 'updated');
    assert.equal(updated.transaction, undefined);
    assert.deepEqual(updated.plugindata.data.streams.map(s => s.active), [false, false, true]);
    assert.deepEqual(directions(updated.jsep), ['inactive', 'inactive', 'sendonly']);
    await watcher.handle.event(d => d.unpublished === p.id);
    await answerTo(handle, peer, updated.jsep);
    if (!IS_REFERENCE)
      assert.deepEqual(order.filter(x => x !== 'unpublished'), ['updated', 'ok']);
    assert.ok(order.indexOf('updated') < order.indexOf('unpublished'));
  });

  test('while an offer is unanswered: one offer follows the answer', async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const { handle, jsep } = await subscribe(room, [{ feed: p.id }]);
    await p.handle.message({ request: 'unpublish' });
    await handle.nothing(m => m.plugindata?.data.videoroom === 'updated', 150);
    const peer = await newPeer();
    await answerTo(handle, peer, jsep);
    const updated = await handle.next(m => m.plugindata?.data.videoroom === 'updated');
    assert.deepEqual(updated.plugindata.data.streams.map(s => s.active), [false, false]);
  });

  test('autoupdate: false: nothing comes; the next update counts it', async () => {
    const room = await newRoom();
    const [p, q] = [await publisher(room), await publisher(room)];
    const { handle } = await viewer(room, [{ feed: p.id }], { autoupdate: false });
    await p.handle.message({ request: 'unpublish' });
    await handle.nothing(m => m.plugindata?.data.videoroom === 'updated', 200);
    const { data, jsep } = await handle.message({ request: 'update', unsubscribe: [{ feed: q.id }] });
    assert.equal(data.videoroom, 'updated');
    assert.deepEqual(data.streams.map(s => s.active), [false, false]);
    assert.deepEqual(directions(jsep), ['inactive', 'inactive']);
  });

  test('two hundred subscribers of one source: each gets its offer', ours('a lot for the reference'), async () => {
    const room = await newRoom();
    const p = await publisher(room);
    const all = await Promise.all(Array.from({ length: 200 }, async () => {
      const { handle, jsep } = await subscribe(room, [{ feed: p.id }]);
      const peer = await newPeer();
      await answerTo(handle, peer, jsep);
      return handle;
    }));
    await p.handle.message({ request: 'unpublish' });
    await Promise.all(all.map(handle => handle.next(m => m.plugindata?.data.videoroom === 'updated')));
  });
});
