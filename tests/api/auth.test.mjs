// Who may ask for what: the API secret, signed tokens, both, and a room's signed tokens (janus-api.md 7, videoroom.md 3).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHmac } from 'node:crypto';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const SECRET = 'open, please', KEY = 'the key that signs';
const UNAUTHORIZED = 'Unauthorized request (wrong or missing secret/token)';

const now = () => Math.floor(Date.now() / 1000);
const sign = (payload, key = KEY) => `${payload}:${createHmac('sha1', key).update(payload).digest('base64')}`;
const token = (...descriptors) => sign([now() + 600, 'janus', ...descriptors].join(','));

async function withServer(t, general, more = {}) {
  const server = await startServer({ name: `api-auth-${t}`, core: { general }, ...more });
  const client = await server.connect();
  return { server, client, async stop() { client.close(); await server.stop(); } };
}

function assertRefused(reply) {
  assert.equal(reply.janus, 'error', JSON.stringify(reply));
  assert.deepEqual(reply.error, { code: 403, reason: UNAUTHORIZED });
}

describe('an API secret', () => {
  let it;
  before(async () => { it = await withServer('secret', { api_secret: SECRET }); });
  after(() => it?.stop());

  test('create without it, with a wrong one, with one of another type: 403', async () => {
    assertRefused(await it.client.request({ janus: 'create' }));
    for (const apisecret of ['', 'x', SECRET.slice(1), `${SECRET} `, SECRET.toUpperCase(), 5, null, true, [SECRET], { a: SECRET }, 'x'.repeat(100000)])
      assertRefused(await it.client.request({ janus: 'create', apisecret }));
    assertRefused(await it.client.request({ janus: 'create', token: SECRET }));
  });

  test('with it: every verb; without it: none, and no probing of sessions', async () => {
    const session = await it.client.session({ apisecret: SECRET });
    const handle = await session.attach(ECHO);
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    for (const verb of ['keepalive', 'attach', 'message', 'trickle', 'hangup', 'detach', 'destroy', 'claim', 'blah']) {
      assertRefused(await it.client.request({ janus: verb, session_id: session.id, handle_id: handle.id }));
      assertRefused(await it.client.request({ janus: verb, session_id: 424242 }));
    }
    assert.equal((await it.client.request({ janus: 'keepalive', session_id: 424242, apisecret: SECRET })).error.code, 458);
    await session.destroy();
  });

  test('info, ping and paths that do not exist need none', async () => {
    assert.equal((await it.client.request({ janus: 'ping' })).janus, 'pong');
    const info = await it.client.request({ janus: 'info' });
    assert.equal(info.api_secret, true);
    assert.ok(!JSON.stringify(info).includes(SECRET));
    assert.equal((await it.client.request({ janus: 'blah' })).error.code, 457);
  });

  test('a bad handle_id is told before the secret is asked for; a session is not', async () => {
    assert.equal((await it.client.request({ janus: 'keepalive', handle_id: 5 })).error.code, 458);
    assert.equal((await it.client.request({ janus: 'keepalive', session_id: 424242, handle_id: 'x' })).error.code, 459);
  });

  test('a refused request does not keep a session alive and claims nothing', async () => {
    const session = await it.client.session({ apisecret: SECRET });
    const other = await it.server.connect();
    assertRefused(await other.request({ janus: 'claim', session_id: session.id }));
    const handle = await session.attach(ECHO);
    await handle.detach();
    assert.equal((await it.client.next(m => m.janus === 'detached')).sender, handle.id);
    assert.equal(other.take().length, 0);
    other.close();
    await session.destroy();
  });

  test('the secret stands in no log', () => assert.ok(!it.server.log().includes(SECRET)));
});

describe('signed tokens', () => {
  let it;
  before(async () => {
    it = await withServer('token', { token_auth: true, token_auth_secret: KEY, session_timeout: 0 },
      { rooms: { 'room-1234': { signed_tokens: true }, 'room-5678': { pin: 'p' } } });
  });
  after(() => it?.stop());

  const refused = [
    ['none', () => undefined],
    ['of another type', () => 5],
    ['empty', () => ''],
    ['without a signature', () => `${now() + 600},janus`],
    ['with an empty signature', () => `${now() + 600},janus:`],
    ['with three parts', () => `${token()}:x`],
    ['signed with another key', () => sign(`${now() + 600},janus`, 'another')],
    ['with a changed payload', () => token(ECHO).replace(ECHO, ROOM)],
    ['with a changed signature', () => token().replace(/.=$/, c => (c[0] === 'A' ? 'B' : 'A') + '=')],
    ['without padding', () => token().replace(/=+$/, '')],
    ['of the past', () => sign(`${now() - 2},janus`)],
    ['of the far past', () => sign('0,janus')],
    ['with a negative time', () => sign('-5,janus')],
    ['with no time', () => sign(',janus')],
    ['with a time that is no number', () => sign('later,janus')],
    ['with a time beyond 64 bits', () => sign('99999999999999999999999,janus')],
    ['of another realm', () => sign(`${now() + 600},${ROOM}`)],
    ['of a realm that begins the same', () => sign(`${now() + 600},janusx`)],
    ['without a realm', () => sign(`${now() + 600}`)],
    ['of a million characters', () => sign(`${now() + 600},janus,${'x'.repeat(1000)}`).padEnd(1000000, '=')],
  ];
  for (const [name, make] of refused)
    test(`a token ${name}: 403`, { skip: IS_REFERENCE && ['with a time that is no number', 'with no time', 'with a time beyond 64 bits'].includes(name) && 'read as a number there' }, async () => {
      assertRefused(await it.client.request({ janus: 'create', token: make() }));
    });

  test('a good one opens a session; attach needs the plugin in it', async () => {
    const session = await it.client.session({ token: token(ECHO) });
    await session.attach(ECHO);
    const reply = await session.request({ janus: 'attach', plugin: ROOM });
    assert.deepEqual(reply.error, { code: 405, reason: `Provided token can't access plugin '${ROOM}'` });
    for (const almost of ['janus.plugin.videoroomx', 'janus.plugin.video', '', ROOM.toUpperCase()])
      assert.equal((await it.client.request({ janus: 'attach', session_id: session.id, plugin: ROOM, token: token(almost) })).error.code, 405);
    await it.client.request({ janus: 'destroy', session_id: session.id, token: token() });
  });

  test('the last second of a token is still good, the next is not; the session lives on', async () => {
    const short = sign(`${now() + 2},janus`);
    const session = await it.client.session({ token: short });
    await new Promise(done => setTimeout(done, 3200));
    assertRefused(await session.request({ janus: 'keepalive' }));
    assert.equal((await it.client.request({ janus: 'keepalive', session_id: session.id, token: token() })).janus, 'ack');
    await it.client.request({ janus: 'destroy', session_id: session.id, token: token() });
  });

  test('a room with signed tokens lets in who has one for it, before the pin is asked for', async () => {
    const session = await it.client.session({ token: token(ROOM) });
    const room = (...d) => sign([now() + 600, ROOM, ...d].join(','));
    const join = async (body, jsep) => {
      const handle = await session.attach(ROOM);
      return handle.message({ request: 'join', room: 1234, ptype: 'publisher', ...body }, jsep);
    };
    for (const bad of [undefined, 'x', token(ROOM), room(), room('room=12345'), room('room=123'), room('room=5678'), `${room('room=1234')}x`,
      sign(`${now() - 10},${ROOM},room=1234`)])
      assert.equal((await join({ token: bad })).data.error_code, 433, String(bad));
    assert.equal((await join({ token: room('room=1234') })).data.videoroom, 'joined');
    assert.equal((await join({ token: room('room=5678', 'room=1234') })).data.videoroom, 'joined');
    assert.equal((await join({ room: 5678 })).data.error_code, 429);
    assert.equal((await join({ room: 5678, pin: 'p' })).data.videoroom, 'joined');
    assert.equal((await join({ ptype: 'subscriber', feed: 5 })).data.error_code, 433);
    await it.client.request({ janus: 'destroy', session_id: session.id, token: token() });
  });

  test('neither key nor tokens stand in the log', { skip: IS_REFERENCE && 'they do there' }, () => {
    assert.ok(!it.server.log().includes(KEY));
    assert.ok(!it.server.log().includes(',janus'));
  });
});

describe('a secret and signed tokens', () => {
  let it;
  before(async () => { it = await withServer('both', { api_secret: SECRET, token_auth: true, token_auth_secret: KEY }); });
  after(() => it?.stop());

  test('either is enough', async () => {
    assert.equal((await it.client.request({ janus: 'create', apisecret: SECRET })).janus, 'success');
    assert.equal((await it.client.request({ janus: 'create', token: token() })).janus, 'success');
    assert.equal((await it.client.request({ janus: 'create', token: token(), apisecret: 'wrong' })).janus, 'success');
    assert.equal((await it.client.request({ janus: 'create', token: 'wrong', apisecret: SECRET })).janus, 'success');
    assertRefused(await it.client.request({ janus: 'create', token: 'wrong', apisecret: 'wrong' }));
    assertRefused(await it.client.request({ janus: 'create' }));
  });

  test('the secret alone reaches every plugin; a token beside it limits', async () => {
    const session = await it.client.session({ apisecret: SECRET });
    assert.equal((await session.request({ janus: 'attach', plugin: ROOM })).janus, 'success');
    assert.equal((await session.request({ janus: 'attach', plugin: ROOM, token: token(ECHO) })).error.code, 405);
    assert.equal((await session.request({ janus: 'attach', plugin: ECHO, token: token(ECHO) })).janus, 'success');
    await session.destroy();
  });
});

describe('a token secret without token_auth', () => {
  test('has no effect, and that is said', { skip: IS_REFERENCE && 'silent there' }, async () => {
    const it = await withServer('useless', { token_auth_secret: KEY });
    assert.equal((await it.client.request({ janus: 'create', token: 'whatever' })).janus, 'success');
    await it.server.logged(/token_auth_secret has no effect without token_auth/);
    await it.stop();
  });
});
