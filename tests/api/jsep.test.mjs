// Descriptions from clients: the envelope, every code, renegotiation, and answers to what was not asked (janus-api.md 5).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { answerTo, offer, offerSdp, parseSdp } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';

let server;
let client;
let session;

before(async () => {
  server = await startServer({ name: 'api-jsep', rooms: { 'room-1': {} } });
  client = await server.connect();
  session = await client.session();
});

after(async () => {
  client?.close();
  await server?.stop();
});

/* A request with this jsep that the core itself refuses: its error. */
async function refused(jsep, handle) {
  const on = handle ?? await session.attach(ECHO);
  const reply = await on.request({ janus: 'message', body: { audio: true }, jsep });
  assert.equal(reply.janus, 'error', `${JSON.stringify(jsep).slice(0, 200)}: ${JSON.stringify(reply)}`);
  if (!handle)
    await on.detach();
  return reply.error;
}

async function answered(handle, jsep) {
  const { jsep: answer, data } = await handle.message({ audio: true }, jsep);
  assert.equal(answer?.type, 'answer', JSON.stringify(data));
  return answer;
}

describe('the envelope', () => {
  test('type and sdp are needed, and texts', async () => {
    const sdp = offerSdp();
    assert.deepEqual(await refused({}), { code: 456, reason: 'JSEP error: missing mandatory element (type)' });
    assert.deepEqual(await refused({ type: 'offer' }), { code: 456, reason: 'JSEP error: missing mandatory element (sdp)' });
    assert.deepEqual(await refused({ sdp }), { code: 456, reason: 'JSEP error: missing mandatory element (type)' });
    for (const wrong of [5, null, true, [], {}, 0.5]) {
      assert.deepEqual(await refused({ type: wrong, sdp }), { code: 467, reason: 'JSEP error: invalid element type (type should be a string)' });
      assert.deepEqual(await refused({ type: 'offer', sdp: wrong }), { code: 467, reason: 'JSEP error: invalid element type (sdp should be a string)' });
    }
  });

  test('types other than offer and answer: 464', async () => {
    for (const type of ['rollback', 'pranswer', '', 'offers', 'off er'])
      assert.deepEqual(await refused({ type, sdp: offerSdp() }), { code: 464, reason: `JSEP error: unknown message type '${type}'` });
  });

  test('the type in any case', async () => {
    const handle = await session.attach(ECHO);
    await answered(handle, { ...offer(), type: 'OFFer' });
    await handle.detach();
  });

  for (const [key, type, wrongs] of [['trickle', 'a boolean', [5, 'true', null, [], {}]], ['force_relay', 'a boolean', [1, 'true', null, [], {}]],
    ['e2ee', 'a boolean', [1, 'true', null, [], {}]], ['rid_order', 'a string', [5, true, null, [], {}]]])
    test(`${key} must be ${type}: 467`, async () => {
      for (const wrong of wrongs)
        assert.deepEqual(await refused({ ...offer(), [key]: wrong }), { code: 467, reason: `JSEP error: invalid element type (${key} should be ${type})` });
    });

  test('the other keys are ignored; a svc that is no list, or a malformed one, too', async () => {
    for (const more of [{ svc: 5 }, { svc: null }, { svc: 'x' }, { svc: {} }, { svc: [] }, { svc: [null, 5, 'x', [], {}, { mindex: 'x', svc: 5 }, { mindex: -1, svc: 'L9T9' }] },
      { svc: Array.from({ length: 10000 }, () => ({ mindex: 1, svc: 'L3T3_KEY' })) }, { rid_order: 'xyz' }, { restart: true, update: 5, simulcast: 'x', nothing: {} }, { trickle: false }]) {
      const handle = await session.attach(ECHO);
      await answered(handle, { ...offer(), ...more });
      await handle.detach();
    }
  });

  test('e2ee comes back, and stays', async () => {
    const handle = await session.attach(ECHO);
    assert.equal((await answered(handle, { ...offer(), e2ee: true })).e2ee, true);
    assert.equal((await answered(handle, offer({ version: 3 }))).e2ee, true);
    await handle.detach();
    const plain = await session.attach(ECHO);
    assert.equal((await answered(plain, offer())).e2ee, undefined);
    await plain.detach();
  });
});

describe('descriptions that are none', () => {
  const good = offerSdp();
  const without = pattern => good.split('\r\n').filter(l => !pattern.test(l)).join('\r\n');
  const cases = {
    'an empty text': '',
    'no SDP at all': 'hello',
    'only v=': 'v=0\r\n',
    'no m-line': good.slice(0, good.indexOf('m=')),
    'a broken m-line': good.replace(/^m=audio.*$/m, 'm=audio 9'),
    'no fingerprint': without(/^a=fingerprint/),
    'an empty fingerprint': good.replace(/a=fingerprint:.*/g, 'a=fingerprint:'),
    'a fingerprint that is no hash': good.replace(/a=fingerprint:.*/g, 'a=fingerprint:sha-256 hello'),
    'no ufrag': without(/^a=ice-ufrag/),
    'no password': without(/^a=ice-pwd/),
    'no ufrag and no password': without(/^a=ice-/),
  };
  for (const [name, sdp] of Object.entries(cases))
    test(`${name}: 465`, { skip: IS_REFERENCE && /hash|empty f/.test(name) && 'found out later there' }, async () => {
      assert.equal((await refused({ type: 'offer', sdp })).code, 465);
    });

  test('the handle is as before: a good offer is answered', { skip: IS_REFERENCE && 'what an earlier one began stays there' }, async () => {
    const handle = await session.attach(ECHO);
    for (const sdp of Object.values(cases))
      await refused({ type: 'offer', sdp }, handle);
    await answered(handle, offer());
    await handle.detach();
  });

  test('bare LF and no last line end are fine', async () => {
    for (const sdp of [good.replaceAll('\r\n', '\n'), good.slice(0, -2)]) {
      const handle = await session.attach(ECHO);
      await answered(handle, { type: 'offer', sdp });
      await handle.detach();
    }
  });
});

describe('answers nobody waits for', () => {
  test('without a PeerConnection: 469', async () => {
    assert.deepEqual(await refused({ type: 'answer', sdp: offerSdp({ setup: 'active' }) }), { code: 469, reason: 'Unexpected ANSWER (did we offer?)' });
  });

  test('after a client offer that was answered: 469', { skip: IS_REFERENCE && 'accepted there' }, async () => {
    const handle = await session.attach(ECHO);
    await answered(handle, offer());
    assert.equal((await refused({ type: 'answer', sdp: offerSdp({ setup: 'active' }) }, handle)).code, 469);
    await answered(handle, offer({ version: 3 }));
    await handle.detach();
  });
});

describe('again', () => {
  test('a renegotiation keeps what the transport is made of', async () => {
    const handle = await session.attach(ECHO);
    const first = parseSdp((await answered(handle, offer())).sdp);
    const second = parseSdp((await answered(handle, offer({ version: 3, media: [{ kind: 'audio' }, { kind: 'video' }, { kind: 'video' }] }))).sdp);
    const of = (sdp, name) => sdp.media[0].attributes.find(a => a.startsWith(`a=${name}:`));
    for (const name of ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'])
      assert.equal(of(second, name), of(first, name), name);
    assert.equal(second.media.length, 3);
    await handle.detach();
  });

  test('a new ufrag restarts ICE on our side too', async () => {
    const handle = await session.attach(ECHO);
    const first = parseSdp((await answered(handle, offer())).sdp);
    const second = parseSdp((await answered(handle, offer({ version: 3, ufrag: 'another1', pwd: 'anotherpasswordanotherpw' }))).sdp);
    const of = (sdp, name) => sdp.media[0].attributes.find(a => a.startsWith(`a=${name}:`));
    assert.notEqual(of(second, 'ice-ufrag'), of(first, 'ice-ufrag'));
    assert.notEqual(of(second, 'ice-pwd'), of(first, 'ice-pwd'));
    assert.equal(of(second, 'fingerprint'), of(first, 'fingerprint'));
    await handle.detach();
  });

  test('a broken one: 465 for syntax, 469 for sense; the call goes on', async () => {
    const handle = await session.attach(ECHO);
    await answered(handle, offer());
    assert.equal((await refused({ type: 'offer', sdp: 'hello' }, handle)).code, 465);
    const noFingerprint = offerSdp({ version: 3 }).split('\r\n').filter(l => !l.startsWith('a=fingerprint')).join('\r\n');
    assert.deepEqual(await refused({ type: 'offer', sdp: noFingerprint }, handle), { code: 469, reason: 'Error processing SDP' });
    await answered(handle, offer({ version: 4 }));
    await handle.detach();
  });

  test('fewer m-lines than agreed: 469', { skip: IS_REFERENCE && 'accepted there' }, async () => {
    const handle = await session.attach(ECHO);
    await answered(handle, offer());
    assert.equal((await refused(offer({ version: 3, media: [{ kind: 'audio' }] }), handle)).code, 469);
    await answered(handle, offer({ version: 4 }));
    await handle.detach();
  });

  test('a hundred renegotiations', async () => {
    const handle = await session.attach(ECHO);
    for (let version = 2; version < 102; version++)
      await answered(handle, offer({ version, ...(version % 10 === 0 && { ufrag: `ufrag${version}`, pwd: `passwordpasswordpassword${version}` }) }));
    await handle.detach();
  });

  test('after a hangup everything begins anew', async () => {
    const handle = await session.attach(ECHO);
    for (let i = 0; i < 20; i++) {
      const begun = await answered(handle, offer());
      assert.ok(begun.sdp.includes('a=ice-ufrag:'));
      await handle.hangup();
      const hangup = await handle.next(m => m.janus === 'hangup');
      assert.deepEqual(hangup, { janus: 'hangup', session_id: session.id, sender: handle.id, reason: 'Janus API' });
      assert.deepEqual(await handle.event(d => d.result === 'done'), { echotest: 'event', result: 'done' });
      assert.equal((await handle.hangup()).janus, 'success');
      await handle.nothing(m => m.janus === 'hangup', 20);
    }
    await handle.detach();
  });

  test('an offer right behind a hangup: answered, not 471', { skip: IS_REFERENCE && 'it waits' }, async () => {
    const handle = await session.attach(ECHO);
    await answered(handle, offer());
    for (let i = 0; i < 20; i++) {
      const hangup = handle.hangup();
      await answered(handle, offer());
      assert.equal((await hangup).janus, 'success');
    }
    await handle.detach();
  });

  test('a detach with a PeerConnection: detached, no hangup', async () => {
    const handle = await session.attach(ECHO);
    await answered(handle, offer());
    await handle.detach();
    await handle.next(m => m.janus === 'detached');
    if (!IS_REFERENCE)
      await handle.nothing(() => true, 150);
  });
});

describe('offers that a plugin refuses', () => {
  test('are forgotten: the next one is as good as the first', { skip: IS_REFERENCE && '490 until a hangup' }, async () => {
    const handle = await session.attach(ROOM);
    for (let i = 0; i < 3; i++) {
      const { data } = await handle.message({ request: 'configure' }, offer());
      assert.equal(data.error_code, 424);
    }
    const { data, jsep } = await handle.message({ request: 'joinandconfigure', room: 1, ptype: 'publisher' }, offer());
    assert.equal(data.videoroom, 'joined');
    assert.equal(jsep.type, 'answer');
    await handle.detach();
  });

  test('on a synchronous request are forgotten too', async () => {
    const handle = await session.attach(ROOM);
    const reply = await handle.request({ janus: 'message', body: { request: 'list' }, jsep: offer() });
    assert.equal(reply.janus, 'success');
    assert.equal(reply.jsep, undefined);
    if (!IS_REFERENCE) {
      await handle.message({ request: 'join', room: 1, ptype: 'publisher' });
      assert.equal((await handle.message({ request: 'publish' }, offer())).jsep.type, 'answer');
    }
    await handle.detach();
  });
});

test('what is answered can be answered again by our own helper (the tests of rooms rest on it)', async () => {
  const handle = await session.attach(ECHO);
  const { sdp } = await answered(handle, offer());
  assert.equal(parseSdp(answerTo(sdp).sdp).media.length, 2);
  await handle.detach();
});
