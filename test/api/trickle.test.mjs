// Handles that have negotiated: hangup, detach, and the matrix of trickle before and after (janus-api.md 3.6, 3.7 and 6.1).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startServer } from './lib/server.mjs';
import { offer } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest';

let server;
let client;
let session;

before(async () => {
  server = await startServer();
  client = await server.connect();
  session = await client.session();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

test('opaque ids are not sent back unless the server is told to', async () => {
  const handle = await session.attach(ECHO, { opaque_id: 'secret-tag' });
  const { ack, event } = await handle.message({ audio: true });
  assert.equal('opaque_id' in ack, false);
  assert.equal('opaque_id' in event, false);
  await handle.detach();
});

test('hangup after an answer ends the PeerConnection with its reason, and the handle can negotiate again', async () => {
  const handle = await session.attach(ECHO);
  for (let round = 0; round < 3; round++) {
    const { jsep } = await handle.message({ audio: true, video: true }, offer());
    assert.equal(jsep.type, 'answer', `round ${round}`);
    await handle.hangup();
    const event = await handle.next(m => m.janus === 'hangup');
    assert.deepEqual(event, { janus: 'hangup', session_id: session.id, sender: handle.id, reason: 'Janus API' });
    assert.equal((await handle.event(data => data.result === 'done')).echotest, 'event');
  }
  await handle.detach();
});

test('detach with a PeerConnection gives detached alone', async () => {
  const handle = await session.attach(ECHO);
  await handle.message({ audio: true }, offer());
  await handle.detach();
  await handle.next(m => m.janus === 'detached');
  await handle.nothing(m => m.janus === 'hangup');
});

const CANDIDATE = { sdpMid: '0', sdpMLineIndex: 0, candidate: 'candidate:1 1 udp 2122260223 127.0.0.1 50001 typ host' };

/* [what is sent, code or null for an ack], before and after there is a PeerConnection. What is stored is not looked at. */
const TRICKLES = [
  ['neither key', {}, 456, 456],
  ['both keys', { candidate: CANDIDATE, candidates: [CANDIDATE] }, 454, 454],
  ['a candidate', { candidate: CANDIDATE }, null, null],
  ['null ends', { candidate: null }, null, null],
  ['a text ends', { candidate: 'x' }, null, null],
  ['completed', { candidate: { completed: true } }, null, null],
  ['completed, whatever its value', { candidate: { completed: 5 } }, null, null],
  ['many', { candidates: [CANDIDATE, { completed: true }] }, null, null],
  ['none of many', { candidates: [] }, null, null],
  ['many that are no array', { candidates: {} }, null, 467],
  ['bad ones among many', { candidates: [5, null, {}, { sdpMid: 5 }, CANDIDATE] }, null, null],
  ['sdpMid is a number', { candidate: { ...CANDIDATE, sdpMid: 0 } }, null, 467],
  ['sdpMid is null', { candidate: { ...CANDIDATE, sdpMid: null } }, null, 467],
  ['sdpMLineIndex is negative', { candidate: { ...CANDIDATE, sdpMLineIndex: -1 } }, null, 467],
  ['sdpMLineIndex is a text', { candidate: { ...CANDIDATE, sdpMLineIndex: '0' } }, null, 467],
  ['neither sdpMid nor sdpMLineIndex', { candidate: { candidate: CANDIDATE.candidate } }, null, 456],
  ['no candidate in it', { candidate: { sdpMid: '0' } }, null, 456],
  ['a candidate of a wrong type in it', { candidate: { sdpMid: '0', candidate: 5 } }, null, 467],
  ['another m-line', { candidate: { ...CANDIDATE, sdpMid: '1', sdpMLineIndex: 1 } }, null, null],
  ['an index far away', { candidate: { ...CANDIDATE, sdpMLineIndex: 4000000000 } }, null, null],
  ['only an index', { candidate: { sdpMLineIndex: 0, candidate: CANDIDATE.candidate } }, null, null],
  ['rubbish', { candidate: { ...CANDIDATE, candidate: 'this is no candidate' } }, null, null],
  ['an empty one', { candidate: { ...CANDIDATE, candidate: '' } }, null, null],
  ['end-of-candidates', { candidate: { ...CANDIDATE, candidate: 'end-of-candidates' } }, null, null],
  ['a name that nobody may look up', { candidate: { ...CANDIDATE, candidate: 'candidate:1 1 udp 2122260223 0b5c9c32-3f1e-4b0e-a1b2-1234567890ab.local 50001 typ host' } }, null, null],
  ['a port of 99999', { candidate: { ...CANDIDATE, candidate: 'candidate:1 1 udp 2122260223 127.0.0.1 99999 typ host' } }, null, null],
  ['a component of 77', { candidate: { ...CANDIDATE, candidate: 'candidate:1 77 udp 2122260223 127.0.0.1 50001 typ host' } }, null, null],
  ['a foundation of 10^5 characters', { candidate: { ...CANDIDATE, candidate: `candidate:${'f'.repeat(100000)} 1 udp 1 127.0.0.1 50001 typ host` } }, null, null],
];

for (const [name, body, before, after] of TRICKLES)
  test(`trickle: ${name}`, async () => {
    for (const [code, negotiated] of [[before, false], [after, true]]) {
      const handle = await session.attach(ECHO);
      if (negotiated)
        assert.equal((await handle.message({ audio: true, video: true }, offer())).jsep?.type, 'answer');
      const reply = await handle.request({ janus: 'trickle', ...body });
      if (code === null)
        assert.deepEqual(reply, { janus: 'ack', session_id: session.id, transaction: reply.transaction });
      else
        assert.equal(reply.error?.code, code, JSON.stringify(reply));
      await handle.detach();
    }
  });

test('a thousand candidates are acknowledged, and the handle lives', async () => {
  const handle = await session.attach(ECHO);
  await handle.message({ audio: true }, offer());
  for (let i = 0; i < 1000; i++)
    client.send({ janus: 'trickle', session_id: session.id, handle_id: handle.id, transaction: `many-${i}`, candidate: { ...CANDIDATE, candidate: `candidate:${i} 1 udp 1 127.0.0.1 ${1024 + i} typ host` } });
  await client.next(m => m.janus === 'ack' && m.transaction === 'many-999');
  client.take(m => m.janus === 'ack');
  assert.equal((await handle.message({ audio: false })).data.result, 'ok');
  await handle.detach();
});
