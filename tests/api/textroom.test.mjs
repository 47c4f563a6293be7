// TextRoom over the Janus API: rooms and who manages them, and the PeerConnection's offer (textroom.md 1 - 6). What goes over data
// channels is in textroom_data.test.mjs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

const PLUGIN = 'janus.plugin.textroom';

let server;
let guarded;
let strings;
let client;
let handle;

before(async () => {
  server = await startServer({
    name: 'textroom',
    textrooms: {
      'room-7': { description: 'Seven', history: 3 },
      'room-8': { secret: 's', pin: 'p' },
      'room-9': { is_private: true },
    },
  });
  guarded = await startServer({ name: 'textroom-guarded', textroom: { admin_key: 'k3y' }, textrooms: { 'room-7': { is_private: true } } });
  strings = await startServer({ name: 'textroom-strings', textroom: { string_ids: true }, textrooms: { 'room-lobby': { description: 'The lobby' } } });
  client = await server.connect();
  handle = await (await client.session()).attach(PLUGIN);
});
after(async () => {
  await client?.close();
  for (const s of [server, guarded, strings])
    await s?.stop();
});

const ask = body => handle.sync(body);

async function onServer(other, run) {
  const c = await other.connect();
  try {
    return await run(await (await c.session()).attach(PLUGIN));
  } finally {
    await c.close();
  }
}

const refusal = (envelope, error_code, error) => ({ textroom: envelope, error_code, error });
const refused = async (body, code, text) => assert.deepEqual(await ask(body), refusal('error', code, text), JSON.stringify(body));

describe('the envelope of requests', () => {
  test('request: missing, of a wrong type, unknown: "event"; in any case understood', async () => {
    assert.deepEqual(await ask({}), refusal('event', 413, 'Missing mandatory element (request)'));
    for (const request of [5, null, true, [], {}])
      assert.deepEqual(await ask({ request }), refusal('event', 414, 'Invalid element type (request should be a string)'));
    assert.deepEqual(await ask({ request: 'dance' }), refusal('event', 415, "Unknown request 'dance'"));
    assert.deepEqual(await ask({ request: 'EXISTS', room: 7 }), { textroom: 'success', room: 7, exists: true });
  });

  test('what needs a data channel is unknown here', async () => {
    for (const request of ['join', 'leave', 'message'])
      assert.deepEqual(await ask({ request, room: 7, username: 'u', text: 'x' }), refusal('event', 415, `Unknown request '${request}'`));
  });

  test('room: missing is 413, of a wrong type 414, unknown 417: "error"', async () => {
    for (const more of [{ request: 'listparticipants' }, { request: 'edit' }, { request: 'destroy' }, { request: 'kick', username: 'u' },
      { request: 'announcement', text: 'x' }, { request: 'allowed', action: 'enable' }]) {
      await refused(more, 413, 'Missing mandatory element (room)');
      for (const room of ['7', -1, 1.5, null, {}, [], true])
        await refused({ ...more, room }, 414, 'Invalid element type (room should be a positive integer)');
      await refused({ ...more, room: 99 }, 417, 'No such room (99)');
    }
    assert.deepEqual(await ask({ request: 'exists', room: 99 }), { textroom: 'success', room: 99, exists: false });
  });
});

describe('list and listparticipants', () => {
  test('public rooms, with what the file says', async () => {
    const { textroom, list } = await ask({ request: 'list' });
    assert.equal(textroom, 'success');
    const found = id => list.find(room => room.room === id);
    assert.deepEqual(found(7), { room: 7, description: 'Seven', pin_required: false, num_participants: 0, history: 3 });
    assert.deepEqual(found(8), { room: 8, description: 'room-8', pin_required: true, num_participants: 0, history: 0 });
    assert.equal(found(9), undefined);
  });

  test('participants need neither secret nor pin', async () => {
    assert.deepEqual(await ask({ request: 'listparticipants', room: 8 }),
      IS_REFERENCE ? { room: 8, participants: [] } : { textroom: 'success', room: 8, participants: [] });
  });

  test('the admin key shows private rooms, and guards create', async () => {
    await onServer(guarded, async h => {
      assert.deepEqual(await h.sync({ request: 'list' }), { textroom: 'success', list: [] });
      assert.deepEqual(await h.sync({ request: 'list', admin_key: 5 }), { textroom: 'success', list: [] });
      assert.deepEqual(await h.sync({ request: 'list', admin_key: 'x' }), refusal('error', 419, 'Unauthorized (wrong admin_key)'));
      assert.equal((await h.sync({ request: 'list', admin_key: 'k3y' })).list.length, 1);
      assert.deepEqual(await h.sync({ request: 'create' }), refusal('error', 413, 'Missing mandatory element (admin_key)'));
      assert.deepEqual(await h.sync({ request: 'create', admin_key: 5 }), refusal('error', 414, 'Invalid element type (admin_key should be a string)'));
      assert.deepEqual(await h.sync({ request: 'create', admin_key: 'x', allowed: [1] }), refusal('error', 419, 'Unauthorized (wrong admin_key)'));
      assert.deepEqual(await h.sync({ request: 'create', admin_key: 'k3y', room: 7 }), refusal('error', 418, 'Room 7 already exists'));
      assert.equal((await h.sync({ request: 'create', admin_key: 'k3y', room: 8 })).textroom, 'created');
    });
  });
});

describe('create, edit, destroy', () => {
  test('a room comes, changes and goes', async () => {
    assert.deepEqual(await ask({ request: 'create', room: 20, secret: 's', pin: 'p', description: 'Twenty', history: 5 }), { textroom: 'created', room: 20, permanent: false });
    await refused({ request: 'create', room: 20 }, 418, 'Room 20 already exists');
    await refused({ request: 'edit', room: 20 }, 413, 'Missing mandatory element (secret)');
    await refused({ request: 'edit', room: 20, secret: 'x' }, 419, 'Unauthorized (wrong secret)');
    assert.deepEqual(await ask({ request: 'edit', room: 20, secret: 's', new_description: 'XX', new_pin: '', new_secret: 'S' }), { textroom: 'edited', room: 20, permanent: false });
    assert.deepEqual((await ask({ request: 'list' })).list.find(r => r.room === 20), { room: 20, description: 'XX', pin_required: true, num_participants: 0, history: 5 });
    await refused({ request: 'destroy', room: 20, secret: 's' }, 419, 'Unauthorized (wrong secret)');
    assert.deepEqual(await ask({ request: 'destroy', room: 20, secret: 'S' }), { textroom: 'destroyed', room: 20, permanent: false });
    await refused({ request: 'destroy', room: 20, secret: 'S' }, 417, 'No such room (20)');
  });

  test('without an id, or with 0, the server chooses one', async () => {
    for (const more of [{}, { room: 0 }]) {
      const { room } = await ask({ request: 'create', ...more });
      assert.ok(Number.isSafeInteger(room) && room > 0);
      assert.equal((await ask({ request: 'list' })).list.find(r => r.room === room).description, `Room ${room}`);
      await ask({ request: 'destroy', room });
    }
  });

  test('wrong types are named', async () => {
    for (const [name, value, type] of [['description', 1, 'a string'], ['secret', [], 'a string'], ['pin', 4, 'a string'], ['post', {}, 'a string'],
      ['is_private', 'x', 'a boolean'], ['history', -1, 'a positive integer'], ['allowed', {}, 'an array'], ['permanent', 1, 'a boolean']])
      await refused({ request: 'create', [name]: value }, 414, `Invalid element type (${name} should be ${type})`);
    await refused({ request: 'create', room: 21, allowed: ['x', 1] }, 414, 'Invalid element in the allowed array (not a string)');
  });

  test('string ids', async () => {
    await onServer(strings, async h => {
      assert.deepEqual(await h.sync({ request: 'exists', room: 'lobby' }), { textroom: 'success', room: 'lobby', exists: true });
      assert.deepEqual(await h.sync({ request: 'exists', room: 7 }), refusal('error', 414, 'Invalid element type (room should be a string)'));
      assert.deepEqual(await h.sync({ request: 'create', room: 'ä b' }), { textroom: 'created', room: 'ä b', permanent: false });
      const { room } = await h.sync({ request: 'create' });
      assert.match(room, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    });
  });
});

describe('permanent rooms', () => {
  test('stand in the file, as they are when the server starts again; a destroyed one does not', async () => {
    const FILE = 'janus.plugin.textroom.jcfg';
    const first = await startServer({ name: 'textroom-permanent', textrooms: { 'room-7': { description: 'Seven' } } });
    let text;
    try {
      await onServer(first, async h => {
        assert.deepEqual(await h.sync({ request: 'create', room: 30, permanent: true, description: 'Thirty "q"', secret: 's', history: 4 }), { textroom: 'created', room: 30, permanent: true });
        assert.deepEqual(await h.sync({ request: 'create', room: 31, permanent: true, is_private: true }), { textroom: 'created', room: 31, permanent: true });
        assert.deepEqual(await h.sync({ request: 'edit', room: 30, secret: 's', permanent: true, new_pin: 'p' }), { textroom: 'edited', room: 30, permanent: true });
        assert.deepEqual(await h.sync({ request: 'destroy', room: 7, permanent: true }), { textroom: 'destroyed', room: 7, permanent: true });
      });
      text = readFileSync(join(first.dir, FILE), 'utf8');
    } finally {
      await first.stop();
    }
    const second = await startServer({ name: 'textroom-permanent-again', files: { [FILE]: text } });
    try {
      await onServer(second, async h => {
        assert.deepEqual(await h.sync({ request: 'list' }), { textroom: 'success', list: [{ room: 30, description: 'Thirty "q"', pin_required: true, num_participants: 0, history: 4 }] });
        assert.equal((await h.sync({ request: 'exists', room: 31 })).exists, true);
        assert.equal((await h.sync({ request: 'destroy', room: 30 })).error_code, 413);
      });
    } finally {
      await second.stop();
    }
  });
});

describe('allowed, kick, announcement', () => {
  test('the list of tokens', async () => {
    const room = 7;
    await refused({ request: 'allowed', room }, 413, 'Missing mandatory element (action)');
    await refused({ request: 'allowed', action: 'x', room: 99 }, 414, "Unsupported action 'x' (allowed)");
    assert.deepEqual(new Set((await ask({ request: 'allowed', action: 'add', room, allowed: ['a', 'b'] })).allowed), new Set(['a', 'b']));
    assert.deepEqual(await ask({ request: 'allowed', action: 'remove', room, allowed: ['a'] }), { textroom: 'success', room, allowed: ['b'] });
    await refused({ request: 'allowed', action: 'add', room, allowed: [2] }, 414, 'Invalid element in the allowed array (not a string)');
    assert.deepEqual(await ask({ request: 'allowed', action: 'ENABLE', room }), { textroom: 'success', room, allowed: ['b'] });
    assert.deepEqual(await ask({ request: 'allowed', action: 'disable', room }), { textroom: 'success', room });
  });

  test('kick and announcement ask for the secret', async () => {
    await refused({ request: 'kick', room: 8 }, 413, 'Missing mandatory element (username)');
    await refused({ request: 'kick', room: 8, username: 'u' }, 413, 'Missing mandatory element (secret)');
    await refused({ request: 'kick', room: 8, username: 'u', secret: 's' }, 423, 'No such user u in room 8');
    await refused({ request: 'announcement', room: 8, text: 'x', secret: 5 }, 414, 'Invalid element type (secret should be a string)');
    await refused({ request: 'announcement', room: 8, text: 'x', secret: 'x' }, 419, 'Unauthorized (wrong secret)');
    await refused({ request: 'announcement', room: 8, secret: 's' }, 413, 'Missing mandatory element (text)');
    assert.deepEqual(await ask({ request: 'announcement', room: 8, text: 'x', secret: 's' }), { textroom: 'success' });
  });
});

describe('post', () => {
  /* A web server that keeps what it is sent, and a room that posts to it. */
  async function withHook(run, options) {
    const got = [];
    let arrived = () => {};
    const hook = createServer((request, response) => {
      let body = '';
      request.on('data', part => { body += part; });
      request.on('end', () => {
        got.push({ method: request.method, url: request.url, headers: request.headers, body });
        response.end('{}');
        arrived();
      });
    });
    await new Promise(done => hook.listen(0, '127.0.0.1', done));
    const url = host => `http://${host}:${hook.address().port}/hook?a=b`;
    const posting = await startServer({ name: 'textroom-post', ...options(url) });
    try {
      await onServer(posting, h => run(h, {
        url, got,
        async wait(count) {
          while (got.length < count)
            await new Promise(done => { arrived = done; });
        },
      }));
    } finally {
      await posting.stop();
      hook.closeAllConnections();
      await new Promise(done => hook.close(done));
    }
  }

  test('an announcement reaches the web server of the room, by address and by name, in order', async () => {
    await withHook(async (h, { got, wait, url }) => {
      for (let i = 0; i < 20; i++)
        assert.deepEqual(await h.sync({ request: 'announcement', room: 7, text: `text ${i}` }), { textroom: 'success' });
      await wait(20);
      got.forEach(({ method, url: path, headers, body }, i) => {
        assert.equal(method, 'POST');
        assert.equal(path, '/hook?a=b');
        assert.equal(headers['content-type'], 'application/json');
        assert.equal(headers.accept, 'application/json');
        assert.equal(headers.charsets, 'utf-8');
        const { date, ...rest } = JSON.parse(body);
        assert.deepEqual(rest, { textroom: 'announcement', room: 7, text: `text ${i}` });
        assert.match(date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/);
        assert.ok(Math.abs(Date.parse(date) - Date.now()) < 60000);
      });
      await h.sync({ request: 'create', admin_key: 'k3y', room: 8, post: url('localhost') });
      await h.sync({ request: 'announcement', room: 8, text: 'by name' });
      await wait(21);
      assert.equal(JSON.parse(got[20].body).text, 'by name');
    }, url => ({ textroom: { admin_key: 'k3y' }, textrooms: { 'room-7': { post: url('127.0.0.1') } } }));
  });

  test('without an admin key, a URL of a request does not reach private places', { skip: IS_REFERENCE && 'the reference posts anywhere' }, async () => {
    await withHook(async (h, { got, wait, url }) => {
      await h.sync({ request: 'create', room: 8, post: url('localhost') });
      await h.sync({ request: 'announcement', room: 8, text: 'not sent' });
      await h.sync({ request: 'announcement', room: 7, text: 'sent' });
      await wait(1);
      assert.equal(JSON.parse(got[0].body).text, 'sent');
      assert.equal(got.length, 1);
    }, url => ({ textrooms: { 'room-7': { post: url('127.0.0.1') } } }));
  });

  test('a web server that never answers holds up nobody', { skip: IS_REFERENCE && 'there everybody waits' }, async () => {
    const mute = createServer(() => {});
    await new Promise(done => mute.listen(0, '127.0.0.1', done));
    await withHook(async (h, { wait }) => {
      for (let i = 0; i < 300; i++)
        assert.deepEqual(await h.sync({ request: 'announcement', room: 8, text: 'x' }), { textroom: 'success' });
      await h.sync({ request: 'announcement', room: 7, text: 'heard' });
      await wait(1);
    }, url => ({ textrooms: { 'room-7': { post: url('127.0.0.1') }, 'room-8': { post: `http://127.0.0.1:${mute.address().port}/` } } }));
    mute.closeAllConnections();
    await new Promise(done => mute.close(done));
  });
});

describe('the PeerConnection', () => {
  test('setup offers one data line, once; restart offers it anew', async () => {
    const h = await (await client.session()).attach(PLUGIN);
    const ok = { textroom: 'event', result: 'ok' };
    assert.deepEqual((await h.message({ request: 'restart' })).data, refusal('error', 416, 'PeerConnection not setup'));
    assert.deepEqual((await h.message({ request: 'ack' })).data, ok);
    const first = await h.message({ request: 'setup' });
    assert.deepEqual(first.data, ok);
    assert.equal(first.jsep.type, 'offer');
    const lines = first.jsep.sdp.split('\r\n');
    assert.deepEqual(lines.filter(line => line.startsWith('m=')), ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel']);
    for (const line of ['a=mid:0', 'a=sctp-port:5000', 'a=setup:actpass', 'a=group:BUNDLE 0'])
      assert.ok(lines.includes(line), line);
    assert.deepEqual((await h.message({ request: 'setup' })).data, refusal('error', 416, 'PeerConnection already setup'));
    const second = await h.message({ request: 'restart' });
    assert.deepEqual(second.data, ok);
    const origin = sdp => /^o=- (\d+) (\d+) /m.exec(sdp).slice(1);
    assert.deepEqual(origin(second.jsep.sdp), [origin(first.jsep.sdp)[0], '2']);
    await h.hangup();
    assert.deepEqual((await h.message({ request: 'setup' })).data, refusal('error', 416, 'PeerConnection already setup'));
    await h.detach();
  });
});

describe('the plugin', () => {
  test('info names it', async () => {
    const info = (await client.request({ janus: 'info' })).plugins[PLUGIN];
    assert.equal(info.version, 2);
    assert.equal(info.version_string, '0.0.2');
  });
});
