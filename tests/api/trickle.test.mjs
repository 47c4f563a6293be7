// Candidates from clients: the matrix of janus-api.md 6.1, before there is a PeerConnection and after; and our own with full_trickle.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { offer } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest';
const HOST = 'candidate:1 1 udp 2122260223 127.0.0.1 50001 typ host';

let server;
let client;

before(async () => {
  server = await startServer({ name: 'api-trickle' });
  client = await server.connect();
});

after(async () => {
  client?.close();
  await server?.stop();
});

async function withoutPc() {
  const session = await client.session();
  return session.attach(ECHO);
}

async function withPc() {
  const handle = await withoutPc();
  const { jsep } = await handle.message({ audio: true }, offer());
  assert.equal(jsep.type, 'answer');
  return handle;
}

function assertAck(reply, what) {
  assert.equal(reply.janus, 'ack', `${JSON.stringify(what)}: ${JSON.stringify(reply)}`);
  assert.deepEqual(Object.keys(reply), ['janus', 'session_id', 'transaction']);
}

function assertError(reply, code, reason) {
  assert.deepEqual(reply.error, { code, reason }, JSON.stringify(reply));
}

/* What is acknowledged in any state. */
const FINE = [null, 5, 'x', true, [], { completed: true }, { completed: false }, { completed: null },
  { sdpMid: '0', sdpMLineIndex: 0, candidate: HOST }, { sdpMid: '0', candidate: HOST }, { sdpMLineIndex: 0, candidate: HOST },
  { sdpMid: '0', candidate: HOST.slice('candidate:'.length) }, { sdpMid: '0', candidate: HOST, usernameFragment: 'x' },
  { sdpMid: '1', candidate: HOST }, { sdpMid: 'nonsense', candidate: HOST }, { sdpMLineIndex: 1, candidate: HOST }, { sdpMLineIndex: 2 ** 53, candidate: HOST },
  { sdpMid: '0', candidate: '' }, { sdpMid: '0', candidate: 'end-of-candidates' }, { sdpMid: '0', candidate: 'a=end-of-candidates' },
  { sdpMid: '0', candidate: 'nonsense' }, { sdpMid: '0', candidate: 'candidate:' }, { sdpMid: '0', candidate: `candidate:${'9'.repeat(10000)}` },
  { sdpMid: '0', candidate: 'candidate:1 1 udp 99999999999 127.0.0.1 50001 typ host' }, { sdpMid: '0', candidate: 'candidate:1 1 udp 1 127.0.0.1 70000 typ host' },
  { sdpMid: '0', candidate: 'candidate:1 9 udp 1 127.0.0.1 5000 typ host' }, { sdpMid: '0', candidate: 'candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active' },
  { sdpMid: '0', candidate: 'candidate:1 1 udp 1 0f6a5a3c-8d10-4ccd-8e69-5b9a9ad1ae06.local 5000 typ host' },
  { sdpMid: '0', candidate: 'candidate:1 1 udp 1 example.org 5000 typ host' }, { sdpMid: '0', candidate: 'candidate:1 1 udp 1 ::1 5000 typ host' },
  { sdpMid: '0', candidate: 'candidate:1 1 udp 1 0.0.0.0 5000 typ host' }, { sdpMid: '0', candidate: 'candidate:1 1 udp 1 255.255.255.255 5000 typ host' },
  { sdpMid: 'x'.repeat(5000), candidate: HOST }];

/* What is refused once the exchange is complete, and only acknowledged before. */
const REFUSED = [
  [{ sdpMid: 5, candidate: HOST }, 467, 'Trickle error: invalid element type (sdpMid should be a string)'],
  [{ sdpMid: null, sdpMLineIndex: 0, candidate: HOST }, 467, 'Trickle error: invalid element type (sdpMid should be a string)'],
  [{ sdpMLineIndex: -1, candidate: HOST }, 467, 'Trickle error: invalid element type (sdpMLineIndex should be a positive integer)'],
  [{ sdpMLineIndex: '0', candidate: HOST }, 467, 'Trickle error: invalid element type (sdpMLineIndex should be a positive integer)'],
  [{ sdpMLineIndex: 0.5, candidate: HOST }, 467, 'Trickle error: invalid element type (sdpMLineIndex should be a positive integer)'],
  [{ sdpMid: '0', sdpMLineIndex: null, candidate: HOST }, 467, 'Trickle error: invalid element type (sdpMLineIndex should be a positive integer)'],
  [{ candidate: HOST }, 456, 'Trickle error: missing mandatory element (sdpMid or sdpMLineIndex)'],
  [{}, 456, 'Trickle error: missing mandatory element (sdpMid or sdpMLineIndex)'],
  [{ sdpMid: '0' }, 456, 'Trickle error: missing mandatory element (candidate)'],
  [{ sdpMid: '0', candidate: 5 }, 467, 'Trickle error: invalid element type (candidate should be a string)'],
  [{ sdpMid: '0', candidate: null }, 467, 'Trickle error: invalid element type (candidate should be a string)'],
];

describe('in any state', () => {
  for (const [state, make] of [['before', withoutPc], ['after', withPc]]) {
    test(`${state} the exchange: neither or both`, async () => {
      const handle = await make();
      assertError(await handle.request({ janus: 'trickle' }), 456, 'Missing mandatory element (candidate|candidates)');
      for (const both of [{ candidate: null, candidates: null }, { candidate: { completed: true }, candidates: [] }])
        assertError(await handle.request({ janus: 'trickle', ...both }), 454, "Can't have both candidate and candidates");
      await handle.session.destroy();
    });

    test(`${state} the exchange: what is acknowledged, and without a sender`, async () => {
      const handle = await make();
      for (const candidate of FINE) {
        assertAck(await handle.request({ janus: 'trickle', candidate }), candidate);
        assertAck(await handle.request({ janus: 'trickle', candidates: [candidate] }), candidate);
      }
      assertAck(await handle.request({ janus: 'trickle', candidates: FINE }));
      assertAck(await handle.request({ janus: 'trickle', candidates: [] }));
      await handle.nothing(() => true, 100);
      await handle.session.destroy();
    });
  }
});

describe('before the exchange is complete', () => {
  test('nothing is looked at', async () => {
    const handle = await withoutPc();
    for (const [candidate] of REFUSED) {
      assertAck(await handle.request({ janus: 'trickle', candidate }), candidate);
      assertAck(await handle.request({ janus: 'trickle', candidates: [candidate] }), candidate);
    }
    for (const candidates of [null, 5, 'x', true, {}, { a: 1 }])
      assertAck(await handle.request({ janus: 'trickle', candidates }), candidates);
    await handle.session.destroy();
  });

  test('candidates before the offer do no harm to it', async () => {
    const handle = await withoutPc();
    for (const candidate of FINE)
      assertAck(await handle.trickle(candidate));
    const { jsep } = await handle.message({ audio: true }, offer());
    assert.equal(jsep.type, 'answer');
    assertAck(await handle.trickle({ completed: true }));
    await handle.session.destroy();
  });
});

describe('once it is complete', () => {
  test('one candidate that is wrong is refused by its code', async () => {
    const handle = await withPc();
    for (const [candidate, code, reason] of REFUSED)
      assertError(await handle.request({ janus: 'trickle', candidate }), code, reason);
    await handle.session.destroy();
  });

  test('wrong ones in a list are skipped', async () => {
    const handle = await withPc();
    assertAck(await handle.request({ janus: 'trickle', candidates: REFUSED.map(([candidate]) => candidate) }));
    for (const candidates of [null, 5, 'x', true, {}, { a: 1 }])
      assertError(await handle.request({ janus: 'trickle', candidates }), 467, 'candidates is not an array');
    await handle.session.destroy();
  });

  test('candidates after the end, the end again and again', async () => {
    const handle = await withPc();
    for (let i = 0; i < 5; i++) {
      assertAck(await handle.trickle({ completed: true }));
      assertAck(await handle.trickle({ sdpMid: '0', candidate: HOST }));
    }
    await handle.session.destroy();
  });

  test('ten thousand candidates: all acknowledged, the handle lives', async () => {
    const handle = await withPc();
    const many = Array.from({ length: 10000 }, (_, i) => ({ sdpMid: '0', candidate: `candidate:${i} 1 udp 2122260223 127.0.${i >> 8}.${i & 255} ${1024 + i} typ host` }));
    for (let i = 0; i < many.length; i += 1000)
      assertAck(await handle.trickle(many.slice(i, i + 1000)));
    assert.equal((await handle.hangup()).janus, 'success');
    assert.equal((await handle.next(m => m.janus === 'hangup')).reason, 'Janus API');
    assertAck(await handle.trickle({ sdpMid: '0', candidate: HOST }));
    await handle.session.destroy();
  });
});

describe('full_trickle', () => {
  test('the answer has no candidates; they follow as events, and completed ends them', async () => {
    const own = await startServer({ name: 'api-trickle-full', core: { nat: { full_trickle: true } } });
    const other = await own.connect();
    const handle = await (await other.session()).attach(ECHO);
    const { jsep } = await handle.message({ audio: true }, offer());
    assert.ok(!jsep.sdp.includes('a=candidate:'));
    assert.ok(!jsep.sdp.includes('a=end-of-candidates'));
    const seen = [];
    for (;;) {
      const event = await handle.next(m => m.janus === 'trickle');
      assert.deepEqual(Object.keys(event), ['janus', 'session_id', 'sender', 'candidate']);
      if (event.candidate.completed)
        break;
      seen.push(event.candidate);
    }
    assert.ok(seen.length > 0);
    for (const candidate of seen) {
      if (!IS_REFERENCE)
        assert.equal(candidate.sdpMid, '0');
      assert.equal(candidate.sdpMLineIndex, 0);
      assert.match(candidate.candidate, /^candidate:\S+ 1 udp \d+ \S+ \d+ typ /i);
    }
    await handle.nothing(m => m.janus === 'trickle', 150);
    other.close();
    await own.stop();
  });

  test('without it the answer has them all, and no event follows', async () => {
    const handle = await withoutPc();
    const { jsep } = await handle.message({ audio: true }, offer());
    assert.match(jsep.sdp, /a=candidate:\S+ 1 udp \d+ \S+ \d+ typ host/i);
    assert.ok(jsep.sdp.includes('a=end-of-candidates'));
    await handle.nothing(m => m.janus === 'trickle', 150);
    await handle.session.destroy();
  });
});
