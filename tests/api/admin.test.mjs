// The Admin API over HTTP and WebSockets (admin-api.md, transports.md 2.8, 3): who may ask, the order of checks, every setting,
// sessions and handles, messages to plugins.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import dgram from 'node:dgram';

import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { SECRET, adminOptions, fetchAdmin, overHttp, overWebSocket } from './lib/admin.mjs';
import { connect } from './lib/client.mjs';
import { jcfg } from './lib/jcfg.mjs';
import { openPeer } from './lib/peer.mjs';
import { rawConnect } from './lib/raw.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom', TEXT = 'janus.plugin.textroom';
const UNAUTHORIZED = { code: 403, reason: 'Unauthorized request (wrong or missing secret/token)' };
const ours = { skip: IS_REFERENCE && 'this version of the reference differs, or can not be started like this' };

let options, server, client, ask, askWs;

before(async () => {
  if (IS_REFERENCE)
    return;
  options = await adminOptions({ name: 'api-admin' });
  server = await startServer(options);
  client = await server.connect();
  ask = overHttp(options.ports);
  askWs = await overWebSocket(options.ports);
});
after(async () => {
  askWs?.close();
  client?.close();
  await server?.stop();
});

describe('paths of the admin HTTP listener', ours, () => {
  const get = (path, method = 'GET', body) => fetchAdmin(options.ports.admin, path, { method, body });

  test('info and ping by GET; other GETs lack a payload; what is not there is 404', async () => {
    assert.equal((await get('/admin/info')).body.janus, 'server_info');
    assert.equal((await get('/admin/ping')).body.janus, 'pong');
    for (const path of ['/admin', '/admin/', '/admin/12', '/admin/12/34', '/admin/x']) {
      const { status, body } = await get(path);
      assert.equal(status, 200);
      assert.deepEqual(body, { janus: 'error', error: { code: 454, reason: 'Request payload missing' } });
    }
    for (const path of ['/', '/janus', '/janus/info', '/adminx', '/admin/1/2/3', '/index.html'])
      assert.equal((await get(path)).status, 404, path);
    assert.deepEqual((await get('/admin/info', 'POST', '{}')).body, { janus: 'error', error: { code: 450, reason: 'Use GET for the info endpoint' } });
    assert.equal((await get('/admin/ping', 'POST', '{}')).status, 400);
    assert.equal((await get('/admin', 'DELETE')).body.error.code, 450);
    assert.equal((await get('/admin', 'OPTIONS')).status, 200);
    assert.equal((await get('/admin', 'POST', '{')).body.error.code, 454);
    assert.equal((await get('/admin', 'POST', '[]')).body.error.code, 455);
  });

  test('the two APIs do not mix', async () => {
    assert.equal((await fetchAdmin(options.ports.http, '/admin', { body: { janus: 'ping', transaction: 't' } })).status, 404);
    assert.equal((await fetchAdmin(options.ports.admin, '/admin', { body: { janus: 'create', transaction: 't', admin_secret: SECRET } })).body.error.code, 457);
    assert.equal((await client.request({ janus: 'list_sessions', admin_secret: SECRET })).error.code, 457);
    await assert.rejects(connect(`ws://127.0.0.1:${options.ports.adminWs}/`, { protocol: 'janus-protocol' }));
    await assert.rejects(connect(server.ws, { protocol: 'janus-admin-protocol' }));
    assert.equal((await fetchAdmin(options.ports.adminWs, '/', { method: 'GET' })).status, 403);
  });

  test('ids in the path', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO);
    assert.deepEqual((await ask({ janus: 'list_handles' }, `/${session.id}`)).handles, [handle.id]);
    assert.equal((await ask({ janus: 'list_handles', session_id: 5 }, `/${session.id}`)).error.code, 457);
    assert.equal((await ask({ janus: 'hangup_webrtc' }, `/${session.id}/${handle.id}`)).janus, 'success');
    assert.equal((await ask({ janus: 'hangup_webrtc' }, `/${session.id}/77`)).error.code, 459);
    await session.destroy();
  });
});

describe('who may ask', ours, () => {
  test('info and ping need no secret, all else does', async () => {
    for (const one of [overHttp(options.ports, undefined), await overWebSocket(options.ports, undefined)]) {
      assert.equal((await one({ janus: 'ping' })).janus, 'pong');
      const info = await one({ janus: 'info' });
      assert.equal(info.janus, 'server_info');
      assert.ok(info.transports['janus.transport.http'] && info.transports['janus.transport.websockets']);
      for (const admin_secret of [undefined, '', 'x', SECRET.slice(1), `${SECRET} `, 5, null, true, [SECRET], { a: SECRET }, 'x'.repeat(100000)])
        for (const request of [{ janus: 'list_sessions' }, { janus: 'blah' }, { janus: 'list_handles', session_id: 424242 }])
          assert.deepEqual((await one({ ...request, admin_secret })).error, UNAUTHORIZED);
      assert.deepEqual((await one({ janus: 'x', handle_id: 5 })).error, { code: 458, reason: 'Session not found' });
      one.close?.();
    }
  });

  test('a session named by something else than a number, a handle by something else', async () => {
    const session = await client.session();
    for (const handle_id of [0, -1, 'x', 5.5, [], true])
      assert.deepEqual((await askWs({ janus: 'handle_info', session_id: session.id, handle_id })).error, { code: 458, reason: 'Session not found' });
    assert.equal((await askWs({ janus: 'handle_info', session_id: session.id, handle_id: null })).error.code, 458);
    assert.equal((await askWs({ janus: 'list_handles', session_id: -5 })).error.code, 458);
    assert.equal((await askWs({ janus: 'list_handles', session_id: 5 })).error.reason, 'No such session 5');
    await session.destroy();
  });

  test('a sample secret keeps the port closed, but on loopback; so does an access list that cannot be read', async () => {
    const [wide, narrow] = [await freePort(), await freePort()];
    const it = await adminOptions({ name: 'api-admin-sample', core: { general: { admin_secret: 'janusoverlord' } }, http: { admin_port: wide, admin_ip: '0.0.0.0' },
      websockets: { admin: { admin_ws_port: narrow } } });
    const one = await startServer(it);
    await one.logged(/admin_http: not opened: admin_secret is the one of the sample files/);
    await assert.rejects(rawConnect(wide), { code: 'ECONNREFUSED' });
    const inside = await overWebSocket({ adminWs: narrow }, 'janusoverlord');
    assert.equal((await inside({ janus: 'list_sessions' })).janus, 'success');
    inside.close();
    await one.stop();
  });

  test('an access list keeps others out', async () => {
    const it = await adminOptions({ name: 'api-admin-acl', http: { admin_acl: '10.' }, websockets: { admin: { admin_ws_acl: '10.' } } });
    const one = await startServer(it);
    await assert.rejects(fetchAdmin(it.ports.admin, '/admin/info', { method: 'GET' }));
    const refused = await connect(`ws://127.0.0.1:${it.ports.adminWs}/`, { protocol: 'janus-admin-protocol' });
    await refused.closed;
    assert.equal((await fetchAdmin(it.ports.http, '/janus/info', { method: 'GET' })).status, 200);
    await one.stop();
  });
});

describe('settings', ours, () => {
  const setters = [
    ['set_session_timeout', 'timeout', 'timeout', [[0, 0], [60, 60]], [-1, '5', 1.5, null]],
    ['set_log_level', 'level', 'level', [[0, 0], [7, 7], [4, 4]], [8, -1, '4', true]],
    ['set_locking_debug', 'debug', 'locking_debug', [[true, true], [false, false]], [0, 'true', null]],
    ['set_refcount_debug', 'debug', 'refcount_debug', [[true, true], [false, false]], [1, []]],
    ['set_log_timestamps', 'timestamps', 'log_timestamps', [[false, false], [true, true]], [1]],
    ['set_log_colors', 'colors', 'log_colors', [[true, true], [false, false]], ['no']],
    ['set_min_nack_queue', 'min_nack_queue', 'min_nack_queue', [[0, 0], [1000, 1000], [1001, 1000], [5000, 1000], [65636, 100], [200, 200]], [-1, '5']],
    ['set_nack_optimizations', 'nack_optimizations', 'nack-optimizations', [[true, true], [false, false]], [2]],
    ['set_no_media_timer', 'no_media_timer', 'no_media_timer', [[0, 0], [1, 1]], [-1, 0.5]],
    ['set_slowlink_threshold', 'slowlink_threshold', 'slowlink_threshold', [[5, 5], [0, 0]], [-1, {}]],
    ['accept_new_sessions', 'accept', 'accept', [[false, false], [true, true]], ['yes', 1]],
  ];
  for (const [verb, key, shown, good, bad] of setters)
    test(verb, async () => {
      for (const one of [ask, askWs]) {
        assert.deepEqual((await one({ janus: verb })).error, { code: 456, reason: `Missing mandatory element (${key})` });
        for (const value of bad) {
          const { error } = await one({ janus: verb, [key]: value });
          assert.equal(error.code, 467);
          assert.match(error.reason, new RegExp(`^Invalid element type \\(${key} should be `));
        }
        for (const [value, stored] of good) {
          const { transaction, ...reply } = await one({ janus: verb.toUpperCase(), [key]: value });
          assert.deepEqual(reply, { janus: 'success', [shown]: stored });
        }
      }
    });

  test('get_status shows them, in order', async () => {
    const { status } = await ask({ janus: 'get_status' });
    assert.deepEqual(Object.entries(status), [
      ['token_auth', false], ['session_timeout', 60], ['reclaim_session_timeout', 0], ['candidates_timeout', 45], ['log_level', 4], ['log_timestamps', true],
      ['log_colors', false], ['log_rotate_sig', 0], ['locking_debug', false], ['refcount_debug', false], ['min_nack_queue', 200], ['nack-optimizations', false],
      ['no_media_timer', 1], ['slowlink_threshold', 0]]);
  });

  test('what they do: the log level, time stamps, new sessions', async () => {
    await ask({ janus: 'set_log_level', level: 5 });
    await ask({ janus: 'set_log_timestamps', timestamps: false });
    await (await client.session()).destroy();
    await server.logged(/^Session \d+ created/m);
    await ask({ janus: 'set_log_level', level: 4 });
    await ask({ janus: 'set_log_timestamps', timestamps: true });
    await ask({ janus: 'accept_new_sessions', accept: false });
    assert.equal((await client.request({ janus: 'create' })).error.code, 472);
    assert.equal((await ask({ janus: 'info' }))['accepting-new-sessions'], false);
    await ask({ janus: 'accept_new_sessions', accept: true });
  });

  test('loops_info', async () => {
    const { loops } = await ask({ janus: 'loops_info' });
    assert.ok(loops.length > 0 && loops.every((loop, i) => loop.id === i && loop.handles === 0));
  });
});

describe('sessions and handles', ours, () => {
  test('are listed, timed, hung up, detached and destroyed', async () => {
    const session = await client.session();
    const [first, second] = [await session.attach(ECHO), await session.attach(ROOM)];
    assert.ok((await askWs({ janus: 'list_sessions' })).sessions.includes(session.id));
    assert.deepEqual(Object.keys(await askWs({ janus: 'list_handles', session_id: session.id })), ['janus', 'session_id', 'transaction', 'handles']);
    assert.deepEqual((await askWs({ janus: 'list_handles', session_id: session.id })).handles.sort(), [first.id, second.id].sort());
    const timed = await askWs({ janus: 'set_session_timeout', session_id: session.id, timeout: 5 });
    assert.deepEqual(Object.keys(timed), ['janus', 'transaction', 'timeout', 'session_id']);
    assert.equal((await askWs({ janus: 'set_session_timeout', session_id: session.id, timeout: -2 })).error.reason,
      'Invalid element type (timeout should be a non-negative integer or -1)');
    assert.equal((await askWs({ janus: 'set_session_timeout', session_id: session.id, timeout: -1 })).timeout, -1);
    for (const verb of ['ping', 'info', 'get_status', 'list_sessions', 'detach_handle', 'message_plugin'])
      assert.equal((await askWs({ janus: verb, session_id: session.id })).error.reason, `Unhandled request '${verb}' at this path`);
    assert.equal((await askWs({ janus: 'destroy_session', session_id: session.id, handle_id: first.id })).error.code, 457);
    assert.equal((await askWs({ janus: 'detach_handle', session_id: session.id, handle_id: first.id })).session_id, session.id);
    assert.equal((await first.next(m => m.janus === 'detached')).sender, first.id);
    assert.equal((await askWs({ janus: 'detach_handle', session_id: session.id, handle_id: first.id })).error.code, 459);
    assert.equal((await askWs({ janus: 'destroy_session', session_id: session.id })).janus, 'success');
    assert.equal((await client.request({ janus: 'keepalive', session_id: session.id })).error.code, 458);
    await client.nothing(m => m.session_id === session.id && m.janus !== 'error');
  });

  test('a session that times out through it', async () => {
    const session = await client.session();
    await ask({ janus: 'set_session_timeout', timeout: 1 }, `/${session.id}`);
    assert.equal((await client.next(m => m.janus === 'timeout')).session_id, session.id);
  });
});

describe('message_plugin', ours, () => {
  test('EchoTest echoes, rooms are managed', async () => {
    assert.deepEqual((await ask({ janus: 'message_plugin', plugin: ECHO, request: { a: [1, { b: null }] } })).response, { a: [1, { b: null }] });
    assert.deepEqual((await ask({ janus: 'message_plugin', plugin: ROOM, request: { request: 'create', room: 77, description: 'by hand' } })).response.videoroom, 'created');
    assert.ok((await askWs({ janus: 'message_plugin', plugin: ROOM, request: { request: 'list' } })).response.list.some(room => room.room === 77));
    assert.equal((await ask({ janus: 'message_plugin', plugin: ROOM, request: { request: 'destroy', room: 77 } })).response.videoroom, 'destroyed');
    assert.deepEqual((await ask({ janus: 'message_plugin', plugin: TEXT, request: { request: 'list', transaction: 'x' } })).response.list, []);
  });

  test('what is wrong with it', async () => {
    assert.equal((await ask({ janus: 'message_plugin' })).error.reason, 'Missing mandatory element (plugin)');
    assert.equal((await ask({ janus: 'message_plugin', plugin: 5 })).error.reason, 'Invalid element type (plugin should be a string)');
    assert.equal((await ask({ janus: 'message_plugin', plugin: ROOM, request: 'list' })).error.reason, 'Invalid element type (request should be an object)');
    assert.deepEqual((await ask({ janus: 'message_plugin', plugin: 'janus.plugin.none' })).error, { code: 460, reason: 'Invalid plugin' });
    assert.ok((await ask({ janus: 'message_plugin', plugin: ROOM })).response.error.includes('Missing mandatory element (request)'));
    for (const request of [{}, { request: 5 }, { request: 'blah' }, { request: 'join', room: 1 }])
      assert.ok((await ask({ janus: 'message_plugin', plugin: ROOM, request })).response.error_code > 0, JSON.stringify(request));
  });
});

describe('texts that are none', ours, () => {
  test('a WebSocket that sends anything is answered or closed, and nobody else hears of it', async () => {
    const other = await overWebSocket(options.ports);
    for (const text of ['', '{', '[]', '5', 'null', '{"janus":"ping"}', '{"transaction":"t"}', '{"transaction":5,"janus":"x"}', '{"transaction":"t","janus":{}}']) {
      other.client.socket.send(text);
      const { error } = await other.client.next(m => m.janus === 'error');
      assert.ok([456, 467].includes(error.code), text);
    }
    assert.equal((await other({ janus: 'ping' })).janus, 'pong');
    other.close();
  });

  test('every request with every kind of value in every place', async () => {
    const values = [null, true, 0, -1, 2 ** 53, 1e300, '', 'x'.repeat(5000), [], [[]], {}, { a: {} }];
    const verbs = ['get_status', 'set_session_timeout', 'set_log_level', 'message_plugin', 'list_sessions', 'list_handles', 'handle_info', 'destroy_session', 'detach_handle', 'hangup_webrtc'];
    const keys = ['timeout', 'plugin', 'request', 'session_id', 'handle_id'];
    for (const janus of verbs)
      for (const key of keys)
        for (const value of values)
          assert.ok(['success', 'error'].includes((await askWs({ janus, [key]: value })).janus));
    await ask({ janus: 'set_session_timeout', timeout: 60 });
  });
});

describe('handle_info', ours, () => {
  test('plugin_specific of TextRoom', async () => {
    const session = await client.session();
    const handle = await session.attach(TEXT);
    const { info } = await ask({ janus: 'handle_info', session_id: session.id, handle_id: handle.id, plugin_only: true });
    assert.deepEqual(info.plugin_specific, { destroyed: 0 });
    await session.destroy();
  });

  test('before, during and after a PeerConnection', async () => {
    const session = await client.session();
    const handle = await session.attach(ECHO, { opaque_id: 'who' });
    const look = async more => (await askWs({ janus: 'handle_info', session_id: session.id, handle_id: handle.id, ...more })).info;
    const before = await look();
    assert.equal(before.opaque_id, 'who');
    assert.equal(before.session_transport, 'janus.transport.websockets');
    assert.equal(before.flags.alert, true);
    assert.equal(before.webrtc, undefined);
    assert.ok(before.created <= before.current_time && before.current_time < 600e6);
    assert.equal((await look({ plugin_only: true })).flags, undefined);
    assert.equal((await look()).plugin_specific.audio_active, true);

    const peer = await openPeer();
    const { jsep } = await handle.message({ audio: true, video: true }, peer.offer());
    const offered = await look();
    assert.equal(offered.flags.negotiated, true);
    assert.equal(offered.webrtc.dtls['dtls-state'], 'created');
    await peer.connect(jsep.sdp);
    await handle.next(m => m.janus === 'webrtcup');
    const { sdps, flags, webrtc } = await look();
    assert.equal(flags.ready, true);
    assert.equal(flags.alert, false);
    assert.equal(sdps.profile, 'UDP/TLS/RTP/SAVPF');
    assert.equal(sdps.local, jsep.sdp);
    assert.ok(sdps.remote.includes(`a=ice-ufrag:${peer.ufrag}`));
    assert.deepEqual(Object.keys(webrtc), ['ice', 'dtls', 'extensions', 'bwe', 'media']);
    assert.equal(webrtc.ice.state, 'ready');
    assert.match(webrtc.ice['selected-pair'], /^[\d.]+:\d+ \[host,udp\] <-> [\d.]+:\d+ \[prflx,udp\]$/);
    assert.equal(webrtc.dtls['dtls-state'], 'connected');
    assert.equal(webrtc.dtls['srtp-profile'], 'SRTP_AES128_CM_SHA1_80');
    assert.ok(webrtc.dtls.stats.in.packets > 0 && webrtc.dtls.stats.out.bytes > 0);
    const [first] = Object.values(webrtc.media);
    assert.deepEqual(first.stats.in, { packets: 0, bytes: 0, bytes_lastsec: 0, ...(first.do_nacks && { nacks: 0, retransmissions: 0 }) });

    assert.equal((await askWs({ janus: 'hangup_webrtc', session_id: session.id, handle_id: handle.id })).janus, 'success');
    assert.equal((await handle.next(m => m.janus === 'hangup')).reason, 'Admin API');
    assert.equal((await look()).webrtc, undefined);
    peer.close();
    await session.destroy();
  });
});

describe('asking others', ours, () => {
  test('names', async () => {
    const found = await ask({ janus: 'resolve_address', address: 'localhost' });
    assert.ok(['127.0.0.1', '::1'].includes(found.ip) && found.elapsed >= 0);
    assert.equal((await ask({ janus: 'resolve_address', address: '192.0.2.1' })).ip, '192.0.2.1');
    for (const address of ['', 'x'.repeat(300), 'printer.local', 'not a name', '.'])
      assert.deepEqual((await ask({ janus: 'resolve_address', address })).error, { code: 490, reason: 'Could not resolve address' });
    assert.equal((await ask({ janus: 'resolve_address', address: 5 })).error.code, 467);
  });

  test('a STUN server', async () => {
    const stun = dgram.createSocket('udp4');
    await new Promise(done => stun.bind(0, '127.0.0.1', done));
    stun.on('message', (request, from) => {
      const reply = Buffer.concat([Buffer.from([1, 1, 0, 12]), request.subarray(4, 20), Buffer.from([0, 0x20, 0, 8, 0, 1]), Buffer.alloc(6)]);
      reply.writeUInt16BE(from.port ^ 0x2112, 26);
      from.address.split('.').forEach((byte, i) => { reply[28 + i] = Number(byte) ^ request[4 + i]; });
      stun.send(reply, from.port, from.address);
    });
    const localport = await freePort();
    const { port } = stun.address();
    const seen = await ask({ janus: 'test_stun', address: '127.0.0.1', port, localport });
    assert.equal(seen.public_ip, '127.0.0.1');
    assert.equal(seen.public_port, localport);
    assert.ok(seen.elapsed > 0);
    stun.close();
    assert.equal((await ask({ janus: 'test_stun', address: 'printer.local', port: 1 })).error.reason, 'Could not resolve address');
    assert.equal((await ask({ janus: 'test_stun', address: '127.0.0.1' })).error.code, 456);
    assert.equal((await ask({ janus: 'test_stun', address: '127.0.0.1', port: -1 })).error.code, 467);
  });

  test('transports', async () => {
    const query = async (transport, request) => (await ask({ janus: 'query_transport', transport: `janus.transport.${transport}`, request })).response;
    const { connections, messages } = await query('http', { request: 'connections' });
    assert.ok(connections.http >= 0 && connections.admin_http >= 1 && connections.https === undefined);
    assert.ok(messages >= 1);
    assert.ok((await query('websockets', { request: 'connections' })).connections >= 2);
    assert.deepEqual(await query('websockets', { request: 'configure', json: 'indented' }), { result: 200 });
    assert.deepEqual(await query('websockets', { request: 'CONFIGURE', json: 'compact' }), { result: 200 });
    assert.deepEqual(await query('websockets', { request: 'configure', json: 'wide' }), { result: 200, notes: ['Ignored unsupported indentation format'] });
    assert.equal((await query('http', {})).error_code, 412);
    assert.equal((await query('http', { request: 'x' })).error_code, 411);
    assert.deepEqual((await ask({ janus: 'query_transport', transport: 'janus.transport.none' })).error, { code: 460, reason: 'Invalid transport' });
    assert.equal((await ask({ janus: 'query_eventhandler', handler: 'janus.eventhandler.none' })).error.code, 460);
    assert.equal((await ask({ janus: 'query_logger', logger: 'x' })).error.code, 460);
  });

  test('a line for the log, an event for nobody', async () => {
    await ask({ janus: 'custom_logline', line: 'by hand\nand not by us', level: 2 });
    await server.logged(/by hand and not by us/);
    assert.equal((await ask({ janus: 'custom_event', schema: 's', data: { a: 1 } })).janus, 'success');
    for (const bad of [{}, { schema: 5, data: {} }, { schema: 's', data: [] }])
      assert.ok([456, 467].includes((await ask({ janus: 'custom_event', ...bad })).error.code));
  });

  test('tokens are not stored here', async () => {
    for (const janus of ['add_token', 'allow_token', 'disallow_token', 'remove_token', 'list_tokens'])
      assert.deepEqual((await ask({ janus })).error, { code: 490, reason: 'Stored-Token based authentication disabled' });
  });
});

describe('stored tokens', ours, () => {
  test('open what they are for, until they are taken back', async () => {
    const it = await adminOptions({ name: 'api-admin-tokens', core: { general: { token_auth: true } } });
    const one = await startServer(it);
    const say = overHttp(it.ports);
    const user = await one.connect();
    assert.equal((await user.request({ janus: 'create', token: 'abc' })).error.code, 403);
    assert.deepEqual((await say({ janus: 'add_token', token: 'abc', plugins: [ECHO, 'janus.plugin.none', 5] })).data, { plugins: [ECHO] });
    const session = await user.session({ token: 'abc' });
    const handle = await session.attach(ECHO);
    assert.equal((await user.request({ janus: 'attach', session_id: session.id, plugin: ROOM, token: 'abc' })).error.code, 405);
    assert.deepEqual((await say({ janus: 'allow_token', token: 'abc', plugins: [ROOM] })).data.plugins.sort(), [ECHO, ROOM]);
    assert.equal((await user.request({ janus: 'attach', session_id: session.id, plugin: ROOM, token: 'abc' })).janus, 'success');
    assert.deepEqual((await say({ janus: 'list_tokens' })).data.tokens.map(t => t.token), ['abc']);
    assert.equal((await say({ janus: 'handle_info', session_id: session.id, handle_id: handle.id })).info.token, 'abc');
    assert.equal((await say({ janus: 'remove_token', token: 'abc' })).janus, 'success');
    assert.equal((await user.request({ janus: 'keepalive', session_id: session.id, token: 'abc' })).error.code, 403);
    assert.equal((await say({ janus: 'get_status' })).status.token_auth, true);
    user.close();
    await one.stop();
  });
});
