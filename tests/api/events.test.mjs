// What event handlers are told (event-handlers.md 2, 3), by the handler that posts to a web server: every type, its shape and its order.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { openCollector, withHandlers } from './lib/collector.mjs';
import { openPeer } from './lib/peer.mjs';
import { offer } from './lib/sdp.mjs';
import { adminOptions, overHttp } from './lib/admin.mjs';
import { jcfg } from './lib/jcfg.mjs';
import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';

const ECHO = 'janus.plugin.echotest';

const ENVELOPE = ['emitter', 'type', 'subtype', 'timestamp', 'session_id', 'handle_id', 'opaque_id', 'event'];
const keys = event => Object.keys(event).filter(key => key !== 'taken');

describe('sessions and handles', () => {
  let server, collector, httpPort;

  before(async () => {
    collector = await openCollector();
    httpPort = await freePort();
    const { core, files } = withHandlers({ sampleevh: { backend: collector.url } });
    files['janus.transport.http.jcfg'] = jcfg({ general: { http: true, port: httpPort, ip: '127.0.0.1', json: 'compact' } });
    server = await startServer({ name: 'api-events', core: { general: { server_name: 'emitter-1' }, ...core }, files });
  });

  after(async () => {
    await server?.stop();
    await collector?.close();
  });

  test('the core tells that it has started, with the info document', async () => {
    const started = await collector.next(e => e.type === 256);
    assert.deepEqual(keys(started), ['emitter', 'type', 'subtype', 'timestamp', 'event']);
    assert.equal(started.emitter, 'emitter-1');
    assert.equal(started.subtype, 1);
    assert.equal(started.event.status, 'started');
    const { info } = started.event;
    assert.equal(Object.keys(info)[0], 'janus');
    assert.equal(info.janus, 'server_info');
    assert.equal(info.event_handlers, true);
    assert.equal(info.events['janus.eventhandler.sampleevh'].version, 1);
    assert.equal('transaction' in info, false);
    assert.ok(Math.abs(started.timestamp / 1000 - Date.now()) < 60000, 'wall clock, in microseconds');
  });

  test('a session and a handle, from their creation to their end', async () => {
    const client = await server.connect();
    const session = await client.session();
    const created = await collector.next(e => e.type === 1 && e.session_id === session.id);
    assert.deepEqual(keys(created), ['emitter', 'type', 'timestamp', 'session_id', 'event']);
    assert.deepEqual(Object.keys(created.event), ['name', 'transport']);
    assert.equal(created.event.name, 'created');
    assert.equal(created.event.transport.transport, 'janus.transport.websockets');
    assert.match(created.event.transport.id, /^[0-9]+$/);

    const connected = await collector.next(e => e.type === 128 && e.event.id === created.event.transport.id);
    assert.deepEqual(keys(connected), ['emitter', 'type', 'timestamp', 'event']);
    assert.deepEqual(connected.event, { transport: 'janus.transport.websockets', id: created.event.transport.id, data: { event: 'connected', admin_api: false, ip: '127.0.0.1' } });

    const handle = await session.attach(ECHO, { opaque_id: 'of mine' });
    const attached = await collector.next(e => e.type === 2 && e.handle_id === handle.id);
    assert.deepEqual(keys(attached), ['emitter', 'type', 'timestamp', 'session_id', 'handle_id', 'opaque_id', 'event']);
    assert.deepEqual(attached.event, { name: 'attached', plugin: ECHO, opaque_id: 'of mine' });

    await client.request({ janus: 'destroy', session_id: session.id });
    const detached = await collector.next(e => e.type === 2 && e.handle_id === handle.id);
    assert.equal(detached.event.name, 'detached');
    const destroyed = await collector.next(e => e.type === 1 && e.session_id === session.id);
    assert.deepEqual(destroyed.event, { name: 'destroyed' });
    assert.ok(collector.events.indexOf(detached) < collector.events.indexOf(destroyed));
    client.close();
    const gone = await collector.next(e => e.type === 128 && e.event.id === created.event.transport.id);
    assert.deepEqual(gone.event.data, { event: 'disconnected' });
  });

  test('requests over HTTP are told one by one, polls and bad paths too, and a session names the one that made it', async () => {
    const post = body => fetch(`http://127.0.0.1:${httpPort}/janus`, { method: 'POST', body: JSON.stringify({ transaction: 't', ...body }) }).then(r => r.json());
    const { data } = await post({ janus: 'create' });
    const created = await collector.next(e => e.type === 1 && e.session_id === data.id);
    assert.equal(created.event.transport.transport, 'janus.transport.http');
    await fetch(`http://127.0.0.1:${httpPort}/nowhere`);
    for (let i = 0; i < 2; i++) {
      const { event } = await collector.next(e => e.type === 128 && e.event.transport === 'janus.transport.http');
      assert.deepEqual({ ...event.data, port: 0 }, { event: 'request', admin_api: false, ip: '127.0.0.1', port: 0 });
      assert.ok(event.data.port > 0);
    }
    assert.ok(collector.events.some(e => e.type === 128 && e.event.id === created.event.transport.id));
  });

  test('every event has the keys of the envelope in their order', () => {
    for (const event of collector.events) {
      const order = keys(event).map(key => ENVELOPE.indexOf(key));
      assert.deepEqual(order, [...order].sort((a, b) => a - b), JSON.stringify(event));
      assert.ok(!order.includes(-1));
    }
  });

  test('the last is the end of the server, with the signal', async () => {
    await server.stop();
    server = null;
    const shutdown = await collector.next(e => e.type === 256 && e.subtype === 2);
    assert.deepEqual(shutdown.event, { status: 'shutdown', signum: 15 });
  });
});

/* One call, from the offer to the hangup, in the order in which it was told; statistics apart. */
const told = (collector, handle) => collector.events.filter(e => e.handle_id === handle.id);
const isStats = e => e.type === 32 && e.subtype === 3;
const short = e => ({
  2: () => e.event.name,
  8: () => `jsep ${e.event.owner}`,
  16: () => e.event.ice ?? e.event.dtls ?? e.event.connection ?? Object.keys(e.event)[0],
  32: () => (e.subtype === 1 ? `media ${e.event.receiving}` : isStats(e) ? 'statistics' : 'slow link'),
  64: () => 'plugin',
})[e.type]();

describe('a call', () => {
  let server, collector, client, peer;

  before(async () => {
    collector = await openCollector();
    const { core, files } = withHandlers({ sampleevh: { backend: collector.url, grouping: false } });
    server = await startServer({ name: 'api-events-call', core: { ...core, media: { no_media_timer: 1 } }, files });
    client = await server.connect();
  });

  after(async () => {
    peer?.close();
    client?.close();
    await server?.stop();
    await collector?.close();
  });

  test('is told from its offer to its hangup, in order, with the last statistics before its end', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO, { opaque_id: 'caller' });
    peer = await openPeer();
    const mine = peer.offer({ media: [{ kind: 'audio' }] });
    const { event } = await handle.message({ audio: true }, mine);
    const answer = event.jsep;
    await peer.connect(answer.sdp);
    await handle.next(m => m.janus === 'webrtcup');
    for (let i = 0; i < 5; i++)
      peer.send({ ssrc: 1000, pt: 111, seq: i, ts: 960 * i, ext: { 4: Buffer.from('0') }, payload: Buffer.alloc(100) });
    const receiving = await collector.next(e => e.type === 32 && e.subtype === 1 && e.event.receiving);
    assert.deepEqual(receiving.event, { media: 'audio', mid: '0', receiving: true });
    const stats = await collector.next(e => isStats(e) && e.event['packets-received'] > 0);
    await collector.next(e => e.type === 32 && e.subtype === 1 && !e.event.receiving);
    await handle.request({ janus: 'hangup' });
    const hangup = await collector.next(e => e.type === 16 && e.event.connection === 'hangup');
    assert.deepEqual(hangup.event, { connection: 'hangup', reason: 'Janus API' });

    const all = told(collector, handle);
    const order = all.filter(e => !isStats(e) && e.event.dtls !== 'trying').map(short);
    assert.deepEqual(order.filter(name => !name.endsWith('candidate')), ['attached', 'jsep remote', 'gathering', 'jsep local', 'connecting', 'connected',
      'selected-pair', 'connected', 'webrtcup', 'ready', 'media true', 'media false', 'hangup']);
    assert.ok(order.indexOf('local-candidate') < order.indexOf('jsep local'), 'before the description that holds them');
    assert.ok(all.slice(0, all.indexOf(hangup)).some(isStats) && isStats(all[all.indexOf(hangup) - 1]), 'the last statistics stand before the hangup');
    assert.deepEqual(all.filter(e => e.opaque_id !== 'caller' || e.session_id !== session.id), []);

    const remote = all.find(e => e.type === 8 && e.event.owner === 'remote'), local = all.find(e => e.type === 8 && e.event.owner === 'local');
    assert.deepEqual(Object.keys(remote.event), ['owner', 'jsep']);
    assert.deepEqual(remote.event.jsep, { type: 'offer', sdp: mine.sdp });
    assert.deepEqual(local.event.jsep, { type: 'answer', sdp: answer.sdp });

    const candidate = all.find(e => e.event['local-candidate'] !== undefined);
    assert.deepEqual(Object.keys(candidate.event), ['local-candidate', 'stream_id', 'component_id']);
    assert.match(candidate.event['local-candidate'], /^\S+ 1 udp \d+ \S+ \d+ typ host/);
    const pair = all.find(e => e.subtype === 4 && e.type === 16);
    assert.deepEqual(Object.keys(pair.event), ['selected-pair', 'candidates', 'stream_id', 'component_id']);
    assert.match(pair.event['selected-pair'], /^\S+:\d+ \[host,udp\] <-> \S+:\d+ \[(host|prflx),udp\]$/);
    assert.deepEqual(Object.keys(pair.event.candidates.remote), ['address', 'port', 'type', 'transport', 'family']);
    const dtls = all.filter(e => e.type === 16 && e.subtype === 5);
    assert.deepEqual(Object.keys(dtls[0].event), ['dtls', 'stream_id', 'component_id', 'retransmissions']);
    assert.deepEqual([dtls[0].event.dtls, dtls.at(-1).event.dtls], ['trying', 'connected']);

    assert.deepEqual(Object.keys(stats.event), ['mid', 'mindex', 'media', 'codec', 'base', 'rtt', 'lost', 'lost-by-remote', 'jitter-local', 'jitter-remote', 'in-link-quality',
      'in-media-link-quality', 'out-link-quality', 'out-media-link-quality', 'packets-received', 'packets-sent', 'bytes-received', 'bytes-sent', 'bytes-received-lastsec',
      'bytes-sent-lastsec', 'nacks-received', 'nacks-sent', 'retransmissions-received'].filter(key => key in stats.event || !['codec', 'rtt'].includes(key)));
    assert.equal(stats.event.media, 'audio');
    assert.equal(stats.event.codec, 'opus');
    assert.equal(stats.event['packets-received'], 5);
  });

  test('that is trickled and detached: its candidates are told, and no hangup', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    await handle.message({ audio: true }, { ...offer({ media: [{ kind: 'audio' }] }), trickle: true });
    await handle.request({ janus: 'trickle', candidate: { sdpMid: '0', sdpMLineIndex: 0, candidate: 'candidate:7 1 udp 12345 127.0.0.1 9 typ host' } });
    const candidate = await collector.next(e => e.handle_id === handle.id && e.type === 16 && e.subtype === 3 && e.event['remote-candidate'].startsWith('7 '));
    assert.deepEqual(candidate.event, { 'remote-candidate': '7 1 udp 12345 127.0.0.1 9 typ host', stream_id: 1, component_id: 1 });
    await handle.request({ janus: 'detach' });
    await collector.next(e => e.handle_id === handle.id && e.event.name === 'detached');
    await client.request({ janus: 'destroy', session_id: session.id });
    await collector.next(e => e.session_id === session.id && e.event.name === 'destroyed');
    assert.ok(!told(collector, handle).some(e => e.event.connection === 'hangup'));
  });

  test('that can not be parsed is no jsep event; one that fails later is', async () => {
    const handle = await (await client.session()).attach(ECHO);
    await handle.request({ janus: 'message', body: { audio: true }, jsep: { type: 'offer', sdp: 'nonsense' } });
    await handle.request({ janus: 'message', body: { audio: true }, jsep: { type: 'answer', sdp: offer().sdp } });
    const jsep = await collector.next(e => e.handle_id === handle.id && e.type === 8);
    assert.equal(jsep.event.jsep.type, 'answer');
    assert.equal(told(collector, handle).filter(e => e.type === 8).length, 1);
  });

  test('nothing is grouped when it is not wished for', () => {
    assert.ok(collector.posts.every(post => !Array.isArray(post.payload)));
  });
});

describe('statistics', () => {
  for (const [name, events, want] of [
    ['are one event for a PeerConnection when they are combined', { combine_media_stats: true }, list => list.length > 0 && list.every(Array.isArray) && list[0].length === 2],
    ['are not there with a period of 0', { stats_period: 0 }, list => list.length === 0],
  ])
    test(name, async () => {
      const collector = await openCollector();
      const { core, files } = withHandlers({ sampleevh: { backend: collector.url, events: 'media,webrtc' } }, events);
      const server = await startServer({ name: 'api-events-stats', core, files });
      const client = await server.connect();
      const handle = await (await client.session()).attach(ECHO);
      const peer = await openPeer();
      const { event } = await handle.message({ audio: true }, peer.offer({ media: [{ kind: 'audio' }, { kind: 'video' }] }));
      await peer.connect(event.jsep.sdp);
      await handle.next(m => m.janus === 'webrtcup');
      await handle.request({ janus: 'hangup' });
      await collector.next(e => e.event.connection === 'hangup');
      assert.ok(want(collector.events.filter(isStats).map(e => e.event)), JSON.stringify(collector.events));
      peer.close();
      client.close();
      await server.stop();
      await collector.close();
    });
});

describe('plugins', () => {
  test('EchoTest tells its state after every successful request, unless it is told not to', async () => {
    const collector = await openCollector();
    const { core, files } = withHandlers({ sampleevh: { backend: collector.url, events: 'plugins' } });
    const server = await startServer({ name: 'api-events-echo', core, files, echotest: { events: true } });
    const client = await server.connect();
    const handle = await (await client.session()).attach(ECHO);
    await handle.message({ audio: true, bitrate: 128000 });
    const event = await collector.next();
    assert.deepEqual(keys(event), ['emitter', 'type', 'timestamp', 'session_id', 'handle_id', 'event']);
    assert.deepEqual(event.event, { plugin: ECHO, data: { audio_active: true, video_active: true, bitrate: 128000 } });
    await handle.message({ audio: 5 });
    await handle.message({ video: false });
    assert.equal((await collector.next()).event.data.video_active, false);
    assert.equal(collector.events.length, 2);
    client.close();
    await server.stop();
    await collector.close();
  });
});

test('what is said by custom_event is told, and a handler can be asked for less', { skip: IS_REFERENCE && 'not tried against the reference yet' }, async () => {
  const collector = await openCollector();
  const { core, files } = withHandlers({ sampleevh: { backend: collector.url, events: 'external' } });
  const options = await adminOptions({ name: 'api-events-external', core, files });
  const server = await startServer(options);
  const ask = overHttp(options.ports);
  assert.equal((await ask({ janus: 'custom_event', schema: 'org.example', data: { a: [1] } })).janus, 'success');
  const event = await collector.next();
  assert.deepEqual(keys(event), ['emitter', 'type', 'timestamp', 'event']);
  assert.equal(event.type, 4);
  assert.deepEqual(event.event, { schema: 'org.example', data: { a: [1] } });
  const query = request => ask({ janus: 'query_eventhandler', handler: 'janus.eventhandler.sampleevh', request });
  assert.deepEqual((await query({ request: 'tweak', events: 5 })).response, { error_code: 413, error: 'Invalid element type (events should be a string)' });
  assert.deepEqual((await query({ request: 'tweak', events: 'core' })).response, { result: 200 });
  await server.stop();
  await collector.close();
});

/* The server's answers stay what they are, whatever becomes of its collector. */
describe('a collector', () => {
  const withCollector = async (collector, more, what) => {
    const { core, files } = withHandlers({ sampleevh: { backend: collector?.url ?? `http://127.0.0.1:${await freePort()}/`, events: 'sessions,core', ...more } });
    const server = await startServer({ name: 'api-events-collector', core, files });
    const client = await server.connect();
    await what(server, client);
    client.close();
    await server.stop();
    await collector?.close();
  };
  const sessions = async (client, count) => {
    for (let i = 0; i < count; i++) {
      const session = await client.session();
      assert.equal((await client.request({ janus: 'destroy', session_id: session.id })).janus, 'success');
    }
  };

  test('that answers 500 has got it all the same, once', async () => {
    const collector = await openCollector({ answer: (request, response) => response.writeHead(500).end('no') });
    await withCollector(collector, { grouping: false }, async (server, client) => {
      await sessions(client, 3);
      for (let i = 0; i < 3; i++) {
        await collector.next(e => e.event.name === 'created');
        await collector.next(e => e.event.name === 'destroyed');
      }
      assert.equal(new Set(collector.posts.map(post => post.body)).size, collector.posts.length);
    });
  });

  test('that never answers, or is away, holds up nobody, nor the end', async () => {
    const mute = await openCollector({ answer: () => {} });
    await withCollector(mute, {}, (server, client) => sessions(client, 500));
    await withCollector(null, { retransmissions_backoff: 1 }, (server, client) => sessions(client, 500));
  });

  test('that hangs up is posted to again, after the back-off, and gets every event in order', async () => {
    let left = 3;
    const collector = await openCollector({ answer: (request, response) => (left-- > 0 ? request.socket.destroy() : response.end()) });
    await withCollector(collector, { retransmissions_backoff: 5, events: 'sessions' }, async (server, client) => {
      const session = await client.session();
      await collector.next(e => e.session_id === session.id);
      const { body } = collector.posts[0];
      for (let i = 1; i < 4; i++)
        await collector.next(e => e.session_id === session.id);
      assert.deepEqual(collector.posts.map(post => post.body), [body, body, body, body]);
    });
  });

  test('gets its password, and gzip when that is wished for', async () => {
    const collector = await openCollector();
    await withCollector(collector, { backend_user: 'me', backend_pwd: 'hidden', compress: true, compression: 9 }, async (server, client) => {
      await sessions(client, 1);
      await collector.next(e => e.event.name === 'destroyed');
      const { method, url, headers } = collector.posts[0];
      assert.deepEqual([method, url, headers['content-type'], headers['content-encoding'], headers.accept, headers['user-agent']],
        ['POST', '/events', 'application/json', 'gzip', '*/*', undefined]);
      assert.equal(headers.authorization, `Basic ${Buffer.from('me:hidden').toString('base64')}`);
      assert.ok(!server.log().includes('hidden'));
    });
  });
});

test('no secret, token or PIN is in any event', async () => {
  const marks = { api_secret: 'mark-of-the-api', admin_key: 'mark-of-the-rooms', pin: 'mark-of-the-pin', secret: 'mark-of-the-room' };
  const collector = await openCollector();
  const { core, files } = withHandlers({ sampleevh: { backend: collector.url } });
  const server = await startServer({ name: 'api-events-marks', core: { general: { api_secret: marks.api_secret }, ...core }, files, videoroom: { events: true, admin_key: marks.admin_key },
    textroom: { events: true, admin_key: marks.admin_key }, ready: s => s.connect({ secret: marks.api_secret }).then(c => c.request({ janus: 'ping' }).then(() => (c.close(), true))) });
  const client = await server.connect();
  const ask = message => client.request({ apisecret: marks.api_secret, ...message });
  const session_id = (await ask({ janus: 'create' })).data.id;
  for (const plugin of ['janus.plugin.videoroom', 'janus.plugin.textroom']) {
    const handle_id = (await ask({ janus: 'attach', session_id, plugin, opaque_id: 'of a client' })).data.id;
    const message = body => ask({ janus: 'message', session_id, handle_id, body });
    assert.equal((await message({ request: 'create', room: 77, pin: marks.pin, secret: marks.secret, admin_key: marks.admin_key })).janus, 'success');
    await message({ request: 'edit', room: 77, secret: marks.secret, new_pin: marks.pin, new_secret: marks.secret });
    await message({ request: 'join', ptype: 'publisher', room: 77, pin: marks.pin });
    await message({ request: 'destroy', room: 77, secret: marks.secret });
  }
  await ask({ janus: 'destroy', session_id });
  await collector.next(e => e.event.name === 'destroyed');
  assert.ok(collector.events.length > 8);
  const all = collector.posts.map(post => post.body).join('');
  for (const mark of Object.values(marks))
    assert.ok(!all.includes(mark), mark);
  client.close();
  await server.stop();
  await collector.close();
});
