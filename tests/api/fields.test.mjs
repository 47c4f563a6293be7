// Every field of every request with every wrong type, missing, and with numbers that no field can hold: each answer carries its
// code, and the server lives. The table is lib/fields.mjs.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { ECHO_FIELDS, NUMBERS_BEYOND, ROOM_REQUESTS, anything, encode, wrongFor } from './lib/fields.mjs';
import { openPeer } from './lib/peer.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const CODES = new Set([421, 422, 423, 424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 435, 436, 437, 438, 499]);

let server;
let client;
let session;
let feed;
const peers = [];

const rooms = Object.fromEntries([76, 77].map(id => [`room-${id}`, { publishers: 100 }]));
rooms['room-78'] = { secret: 's', pin: 'p' };

before(async () => {
  server = await startServer({ name: 'api-fields', rooms });
  client = await server.connect();
  session = await client.session();
});

after(async () => {
  for (const peer of peers)
    peer.close();
  client?.close();
  await server?.stop();
});

/* The plugin's data, of the direct answer or of the event that follows the ack. */
async function ask(handle, body) {
  const transaction = client.transaction();
  client.send(encode({ janus: 'message', session_id: session.id, handle_id: handle.id, transaction, body }));
  const reply = await client.next(m => m.transaction === transaction && ['success', 'ack', 'error'].includes(m.janus));
  if (reply.janus === 'error')
    return { core: reply.error };
  const message = reply.janus === 'ack' ? await client.next(m => m.transaction === transaction && m.janus === 'event') : reply;
  return message.plugindata.data;
}

const alive = async () => assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');

/* Fields that Debian's version of the reference does not know. */
const LATER = new Set(['svc', 'spatial_layer', 'temporal_layer', 'dummy_e2ee', 'metadata', 'threads']);
/* Requests that it checks otherwise (docs/JANUS-COMPAT.md names each difference, tests/diff compares them). */
const OTHERWISE = new Set(['publish_remotely', 'add_remote_publisher', 'update_remote_publisher', 'configure', 'publish']);
const known = fields => Object.entries(fields).filter(([field]) => !IS_REFERENCE || !LATER.has(field));

const VALUES = [5, 1.5, null, true, [], {}, 'x', -1, 0];

describe('the core', () => {
  const FIELDS = { create: ['id', 'apisecret', 'token'], attach: ['plugin', 'opaque_id', 'loop_index', 'token'], message: ['body', 'jsep', 'token'], trickle: ['candidate', 'candidates'],
    keepalive: ['apisecret'], hangup: ['apisecret'], claim: ['apisecret'], ping: ['id'], info: ['id'] };
  const BASE = { create: {}, attach: { plugin: ECHO }, message: { body: { request: 'list' } }, trickle: {}, keepalive: {}, hangup: {}, claim: {}, ping: {}, info: {} };

  for (const [verb, fields] of Object.entries(FIELDS))
    test(`${verb}: ${[...fields, 'session_id', 'handle_id', 'transaction', 'janus'].join(', ')}`, async () => {
      const own = await server.connect();
      for (const field of [...fields, 'session_id', 'handle_id', 'transaction', 'janus'])
        for (const value of [...VALUES, ...NUMBERS_BEYOND]) {
          const handle = await session.attach(ROOM);
          const ids = ['create', 'ping', 'info'].includes(verb) ? {} : ['attach', 'claim', 'keepalive'].includes(verb) ? { session_id: session.id } : { session_id: session.id, handle_id: handle.id };
          own.send(encode({ janus: verb, transaction: 't', ...ids, ...BASE[verb], [field]: value }));
          const reply = await own.next(m => ['success', 'ack', 'error', 'pong', 'server_info'].includes(m.janus));
          if (reply.janus === 'error')
            assert.ok([403, 450, 453, 454, 455, 456, 457, 458, 459, 460, 462, 464, 465, 467, 468, 469].includes(reply.error.code), `${field} = ${JSON.stringify(value)}: ${JSON.stringify(reply)}`);
          if (reply.janus === 'success' && verb === 'create') {
            const id = Number.isSafeInteger(reply.data.id) ? reply.data.id : value;
            own.send(encode({ janus: 'destroy', transaction: 'd', session_id: id }));
            assert.equal((await own.next(m => m.transaction === 'd')).janus, 'success');
          }
          await session.request({ janus: 'claim' });
          await handle.detach();
        }
      client.take();
      own.close();
      await alive();
    });
});

describe('EchoTest', () => {
  for (const [field, type] of known(ECHO_FIELDS))
    test(`${field} must be ${type}: 413 naming it`, async () => {
      const handle = await session.attach(ECHO);
      for (const [name, value] of wrongFor(type)) {
        const data = await ask(handle, { audio: true, [field]: value });
        assert.equal(data.error_code, 413, `${name}: ${JSON.stringify(data)}`);
        assert.ok(data.error.includes(field), data.error);
      }
      for (const value of NUMBERS_BEYOND) {
        const data = await ask(handle, { audio: true, [field]: value });
        assert.ok(data.core?.code === 454 || data.error_code === 413 || data.result === 'ok', `${value}: ${JSON.stringify(data)}`);
        assert.ok(['posint', 'int'].includes(type) || data.error_code === 413, `${value}: ${JSON.stringify(data)}`);
      }
      await handle.detach();
    });

  test('nothing useful: 413', async () => {
    const handle = await session.attach(ECHO);
    for (const body of [{}, { filename: 'x' }, { audiocodec: 'opus' }, { svc: true }, { nothing: 5 }])
      assert.equal((await ask(handle, body)).error_code, 413);
    await handle.detach();
  });
});

/* A handle in that role; the publisher of `feed` has a PeerConnection that is up. */
async function inRole(role) {
  if (role === 'subscriber' && feed === undefined) {
    const publisher = await session.attach(ROOM);
    const peer = await openPeer();
    peers.push(peer);
    const { data } = await publisher.message({ request: 'join', room: 77, ptype: 'publisher' });
    const { jsep } = await publisher.message({ request: 'publish' }, peer.offer());
    await peer.connect(jsep.sdp);
    await publisher.next(m => m.janus === 'webrtcup');
    feed = data.id;
  }
  const handle = await session.attach(ROOM);
  if (role === 'publisher')
    await handle.message({ request: 'join', room: 77, ptype: 'publisher' });
  if (role === 'subscriber')
    assert.equal((await handle.message({ request: 'join', room: 77, ptype: 'subscriber', streams: [{ feed }] })).data.videoroom, 'attached');
  return handle;
}

describe('VideoRoom', () => {
  for (const request of ROOM_REQUESTS) {
    const { role, fields, needs = [], ignored = [] } = request;
    const build = (field, value) => request.in === undefined ? { ...request.body, [field]: value } : { ...request.body, [request.in]: [{ ...request.entry, [field]: value }] };
    const name = `${request.body.request}${request.in ? ` ${request.in}[]` : ''}${request.body.ptype ? ` as ${request.body.ptype}` : ''}${request.body.room === 78 ? ' of a guarded room' : ''}, on a handle that is ${role}`;

    /* A success takes the handle into another role: a new one for each request where that may be. */
    const fresh = async (held, data) => {
      if (data.error_code === undefined && ['join', 'joinandconfigure'].includes(request.body.request)) {
        await held.detach();
        return inRole(role);
      }
      return held;
    };

    test(name, { skip: IS_REFERENCE && ((role === 'subscriber' && 'some of it crashes the reference') || (OTHERWISE.has(request.body.request) && 'checked otherwise there')) }, async () => {
      let handle = await inRole(role);
      for (const [field, type] of known(fields)) {
        for (const [kind, value] of wrongFor(type)) {
          const data = await ask(handle, build(field, value));
          assert.equal(data.error_code, 430, `${field} = ${kind}: ${JSON.stringify(data)}`);
          assert.ok(data.error.includes(field) || (field === 'room' && data.error.includes('room')), `${field} = ${kind}: ${data.error}`);
        }
        for (const value of NUMBERS_BEYOND) {
          const data = await ask(handle, build(field, value));
          assert.ok(data.core?.code === 454 || data.error_code === undefined || CODES.has(data.error_code), `${field} = ${value}: ${JSON.stringify(data)}`);
          assert.ok(['posint', 'int'].includes(type) || data.error_code === 430 || data.core, `${field} = ${value}: ${JSON.stringify(data)}`);
          handle = await fresh(handle, data);
        }
      }
      for (const field of needs) {
        const data = await ask(handle, build(field, undefined));
        assert.equal(data.error_code, 429, `without ${field}: ${JSON.stringify(data)}`);
        assert.ok(data.error.includes(field), data.error);
      }
      for (const field of ignored)
        for (const value of ['streams', 'descriptions'].includes(field) ? wrongFor('array').map(([, v]) => v) : anything()) {
          const data = await ask(handle, build(field, value));
          assert.ok(data.core?.code === 454 || data.error_code === undefined || (CODES.has(data.error_code) && !(data.error_code === 430 && data.error.includes(`(${field} `))),
            `${field} = ${JSON.stringify(value)}: ${JSON.stringify(data)}`);
          handle = await fresh(handle, data);
        }
      if (request.in !== undefined)
        for (const entries of [[null], [5], ['x'], [[]], [true], [null, {}], [[[]]]]) {
          const data = await ask(handle, { ...request.body, [request.in]: entries });
          assert.ok(data.error_code === undefined || CODES.has(data.error_code), `${JSON.stringify(entries)}: ${JSON.stringify(data)}`);
          handle = await fresh(handle, data);
        }
      client.take();
      await handle.detach();
      await alive();
    });
  }

  test('rooms made meanwhile go', async () => {
    const handle = await session.attach(ROOM);
    const { list } = await handle.sync({ request: 'list' });
    for (const { room } of list.filter(r => ![76, 77, 78].includes(r.room)))
      await ask(handle, { request: 'destroy', room: Number.isSafeInteger(room) ? room : `@${room}` });
    await handle.detach();
  });

  test('a body of a thousand keys, and of keys that mean something elsewhere', async () => {
    const handle = await session.attach(ROOM);
    const body = { request: 'exists', room: 77 };
    for (let i = 0; i < 1000; i++)
      body[`k${i}`] = i;
    assert.equal((await ask(handle, body)).exists, true);
    assert.equal((await ask(handle, { request: 'exists', room: 77, janus: 5, session_id: null, handle_id: 'x', transaction: 7, jsep: null, __proto__: null })).exists, true);
    await handle.detach();
  });
});
