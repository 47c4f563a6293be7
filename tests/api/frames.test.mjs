// Frames as no library sends them (RFC 6455; traps.md, Client connections): what is refused and by which code, what is borne,
// limits on texts, fragments and time.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, rawConnect, rawWebSocket, request, upgrade } from './lib/raw.mjs';

const MIB = 1 << 20;
const ours = { skip: IS_REFERENCE && 'its library decides' };
const ping = transaction => JSON.stringify({ janus: 'ping', transaction });

let server;
let client;

before(async () => {
  server = await startServer({ name: 'api-frames' });
  client = await server.connect();
});

after(async () => {
  client?.close();
  await server?.stop();
});

async function closes(code, ...frames) {
  const raw = await rawWebSocket(server.port);
  raw.write(Buffer.concat(frames));
  assert.equal(await raw.closeCode(), code);
  await raw.end;
}

async function bears(...frames) {
  const raw = await rawWebSocket(server.port);
  raw.write(Buffer.concat([...frames, request({ janus: 'ping', transaction: 'after' })]));
  for (;;) {
    const got = await raw.frame();
    assert.notEqual(got, null);
    assert.notEqual(got.opcode, CLOSE, String(got.payload));
    if (got.opcode === TEXT && JSON.parse(String(got.payload)).transaction === 'after')
      break;
  }
  await raw.destroy();
}

describe('broken frames: 1002', ours, () => {
  const cases = {
    'an unmasked text': [frame(TEXT, ping('x'), { masked: false })],
    'an unmasked ping': [frame(PING, '', { masked: false })],
    'an unmasked close': [frame(CLOSE, '', { masked: false })],
    'reserved bit 1 (compressed)': [frame(TEXT, ping('x'), { rsv: 4 })],
    'reserved bit 2': [frame(TEXT, ping('x'), { rsv: 2 })],
    'reserved bit 3': [frame(PING, '', { rsv: 1 })],
    'opcode 3': [frame(3, 'x')],
    'opcode 7': [frame(7, 'x')],
    'opcode 11': [frame(11, 'x')],
    'opcode 15': [frame(15, 'x')],
    'a continuation of nothing': [frame(CONTINUATION, 'x')],
    'a continuation of nothing, unfinished': [frame(CONTINUATION, 'x', { fin: false })],
    'a text within a text': [frame(TEXT, '{', { fin: false }), frame(TEXT, '}')],
    'a binary within a text': [frame(TEXT, '{', { fin: false }), frame(BINARY, '}')],
    'a ping in pieces': [frame(PING, 'x', { fin: false })],
    'a close in pieces': [frame(CLOSE, '', { fin: false })],
    'a ping of 126 bytes': [frame(PING, 'x'.repeat(126))],
    'a pong of 126 bytes': [frame(PONG, 'x'.repeat(126))],
    'a close of 126 bytes': [frame(CLOSE, Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(124, 'x')]))],
    'a length of 125 in 16 bits': [frame(TEXT, 'x'.repeat(125), { width: 16 })],
    'a length of 5 in 64 bits': [frame(TEXT, 'x'.repeat(5), { width: 64 })],
    'a length of 65,535 in 64 bits': [frame(TEXT, 'x'.repeat(65535), { width: 64 })],
    'a length with the highest bit': [Buffer.from('81ffffffffffffffffff00000000', 'hex')],
    'a close of one byte': [frame(CLOSE, Buffer.from([3]))],
    'close code 0': [frame(CLOSE, Buffer.from([0, 0]))],
    'close code 999': [frame(CLOSE, Buffer.from([3, 231]))],
    'close code 1004': [frame(CLOSE, Buffer.from([3, 236]))],
    'close code 1005': [frame(CLOSE, Buffer.from([3, 237]))],
    'close code 1006': [frame(CLOSE, Buffer.from([3, 238]))],
    'close code 1015': [frame(CLOSE, Buffer.from([3, 247]))],
    'close code 5000': [frame(CLOSE, Buffer.from([19, 136]))],
    'an HTTP request': [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  };
  for (const [name, frames] of Object.entries(cases))
    test(name, () => closes(1002, ...frames));
});

describe('texts that are not UTF-8: 1007', ours, () => {
  const bad = { 'a lone continuation': '80', 'a cut sequence': 'e282', 'an overlong slash': 'c0af', 'an overlong NUL': 'c080', 'a surrogate': 'eda080', 'above U+10FFFF': 'f4908080',
    'FE': 'fe', 'FF': 'ff', 'overlong by four': 'f0808080' };
  for (const [name, hex] of Object.entries(bad)) {
    test(`${name} in a text`, () => closes(1007, frame(TEXT, Buffer.concat([Buffer.from('{"a":"'), Buffer.from(hex, 'hex'), Buffer.from('"}')]))));
    test(`${name} in a close reason`, () => closes(1007, frame(CLOSE, Buffer.concat([Buffer.from([3, 232]), Buffer.from(hex, 'hex')]))));
  }

  test('cut at the end of the last fragment', () => closes(1007, frame(TEXT, Buffer.from('{"a":"'), { fin: false }), frame(CONTINUATION, Buffer.from('e282', 'hex'))));

  test('a character cut by fragments is fine, at every byte', async () => {
    const text = Buffer.from(ping('\u00e9\u20ac\u{1F6AA}'));
    for (let at = 1; at < text.length; at++)
      await bears(frame(TEXT, text.subarray(0, at), { fin: false }), frame(CONTINUATION, text.subarray(at)));
  });

  test('binary frames: JSON wants UTF-8 too, but says it by 454', async () => {
    const raw = await rawWebSocket(server.port);
    raw.write(frame(BINARY, Buffer.from('7b2261223a22ff227d', 'hex')));
    assert.equal((await raw.message()).error.code, 454);
    await raw.destroy();
  });
});

describe('what is borne', () => {
  test('a text in a thousand fragments, with pings between them', async () => {
    const text = Buffer.from(ping('many'));
    const raw = await rawWebSocket(server.port);
    const padded = Buffer.concat([Buffer.alloc(1000 - text.length, ' '), text]);
    raw.write(Buffer.concat([...padded].flatMap((byte, i) => [frame(i === 0 ? TEXT : CONTINUATION, Buffer.from([byte]), { fin: i === 999 }),
      ...(i % 100 === 50 ? [frame(PING, `p${i}`)] : [])])));
    for (let i = 50; i < 1000; i += 100)
      assert.equal(String((await raw.frame()).payload), `p${i}`);
    assert.equal((await raw.message()).transaction, 'many');
    await raw.destroy();
  });

  test('empty fragments around a text', () => bears(frame(TEXT, '', { fin: false }), frame(CONTINUATION, ping('x'), { fin: false }), frame(CONTINUATION, '')));
  test('pongs nobody asked for', () => bears(...Array.from({ length: 100 }, () => frame(PONG, 'x'))));
  test('a ping with 125 bytes', () => bears(frame(PING, 'x'.repeat(125))));

  test('frames byte by byte, and many in one piece', async () => {
    const raw = await rawWebSocket(server.port);
    for (const byte of request({ janus: 'ping', transaction: 'slow' }))
      await new Promise(done => raw.socket.write(Buffer.from([byte]), done));
    assert.equal((await raw.message()).transaction, 'slow');
    raw.write(Buffer.concat(Array.from({ length: 1000 }, (_, i) => request({ janus: 'ping', transaction: `m${i}` }))));
    for (let i = 0; i < 1000; i++)
      assert.equal((await raw.message()).transaction, `m${i}`);
    await raw.destroy();
  });

  test('what we send is unmasked, whole, without reserved bits', ours, async () => {
    const raw = await rawWebSocket(server.port);
    for (const size of [10, 200, 70000]) {
      raw.write(request({ janus: 'ping', transaction: 'x'.repeat(size) }));
      const got = await raw.frame();
      assert.deepEqual([got.fin, got.rsv, got.opcode, got.masked], [true, 0, TEXT, false]);
    }
    await raw.destroy();
  });
});

describe('close', () => {
  for (const [name, payload, code] of [['no code', Buffer.alloc(0), 1005], ['1000', Buffer.from([3, 232]), 1000], ['1001 and a reason', Buffer.from('\x03\xe9bye', 'latin1'), 1001],
    ['3504, as janus.js does', Buffer.from([13, 176]), 3504], ['4999', Buffer.from([19, 135]), 4999]])
    test(`${name}: the same comes back, and the end`, async () => {
      const raw = await rawWebSocket(server.port);
      raw.write(frame(CLOSE, payload));
      assert.equal(await raw.closeCode(), IS_REFERENCE && code === 1005 ? 1005 : code);
      await raw.end;
    });

  test('replies that are due go out first; what comes after the close is not done', ours, async () => {
    const raw = await rawWebSocket(server.port);
    raw.write(Buffer.concat([request({ janus: 'create', transaction: 'c', id: 909090 }), frame(PING, 'p'), frame(CLOSE, Buffer.from([3, 232])), request({ janus: 'create', transaction: 'no', id: 919191 })]));
    const seen = [];
    for (let got; (got = await raw.frame()) !== null;)
      seen.push(got.opcode === TEXT ? JSON.parse(String(got.payload)).transaction : got.opcode);
    assert.ok(!seen.includes('no'));
    assert.equal(seen.at(-1), CLOSE);
    assert.equal((await client.request({ janus: 'keepalive', session_id: 919191 })).error.code, 458);
  });

  test('a peer that never answers our close is gone all the same', ours, async () => {
    const raw = await rawWebSocket(server.port);
    raw.write(frame(3, ''));
    assert.equal(await raw.closeCode(), 1002);
    await raw.end;
  });
});

describe('size', () => {
  const bigPing = size => `{"janus":"ping","transaction":"big"${' '.repeat(size - 36)}}`;

  test('a text of 1 MiB is answered', async () => {
    const text = bigPing(MIB);
    assert.equal(text.length, MIB);
    const raw = await rawWebSocket(server.port);
    raw.write(frame(TEXT, text));
    assert.equal((await raw.message()).transaction, 'big');
    await raw.destroy();
  });

  test('one byte more: 1009, before the text is there', ours, async () => {
    const raw = await rawWebSocket(server.port);
    raw.write(frame(TEXT, Buffer.alloc(0), { size: MIB + 1, width: 64 }));
    assert.equal(await raw.closeCode(2000), 1009);
    await raw.end;
  });

  for (const size of [2 ** 31, 2 ** 32, 2 ** 32 + 5, 2 ** 53])
    test(`a claim of ${size} bytes: 1009 at once`, ours, async () => {
      const raw = await rawWebSocket(server.port);
      raw.write(frame(TEXT, Buffer.alloc(0), { size, width: 64 }));
      assert.equal(await raw.closeCode(2000), 1009);
      await raw.end;
    });

  test('fragments that add up to one byte more: 1009', ours, async () => {
    await closes(1009, frame(TEXT, Buffer.alloc(MIB, ' '), { fin: false }), frame(CONTINUATION, ' '));
    await closes(1009, ...Array.from({ length: 17 }, (_, i) => frame(i === 0 ? TEXT : CONTINUATION, Buffer.alloc(65536, ' '), { fin: false })));
  });

  test('fragments without an end, empty ones: 1009 or 1002, not for ever', ours, async () => {
    const raw = await rawWebSocket(server.port);
    raw.write(Buffer.concat(Array.from({ length: 200000 }, (_, i) => frame(i === 0 ? TEXT : CONTINUATION, '', { fin: false }))));
    const code = await raw.closeCode();
    assert.ok([1002, 1008, 1009].includes(code), String(code));
    await raw.end;
  });

  test('a text of 1 MiB that is one string, one number, one key, one escape after the other', async () => {
    for (const text of [`{"a":"${'x'.repeat(MIB - 100)}"}`, `{"a":${'9'.repeat(MIB - 100)}}`, `{"${'k'.repeat(MIB - 100)}":1}`, `{"a":"${'\\u0041'.repeat(170000)}"}`,
      `{"a":1${'0'.repeat(1000000)}.5}`, `{"a":0.${'0'.repeat(1000000)}1}`]) {
      const reply = await client.refused(text);
      assert.ok([454, 456].includes(reply.error.code));
      assert.ok(JSON.stringify(reply).length < 2000);
    }
  });
});

describe('time', { concurrency: true, skip: IS_REFERENCE && 'its library decides' }, () => {
  test('connections that say nothing, half a head or half a TLS hello: closed after 10 s', async () => {
    const begun = Date.now();
    const all = await Promise.all(['', 'GET / HT', upgrade().slice(0, -2), '\r\n'].map(async bytes => {
      const raw = await rawConnect(server.port);
      raw.write(bytes);
      return raw;
    }));
    await Promise.all(all.map(raw => raw.end));
    const took = Date.now() - begun;
    assert.ok(took > 9000 && took < 14000, `${took} ms`);
  });

  test('a head one byte a second: the deadline counts from the start', async () => {
    const begun = Date.now();
    const raw = await rawConnect(server.port);
    const bytes = Buffer.from(upgrade());
    for (let i = 0; !raw.isOver && i < bytes.length; i++) {
      raw.write(bytes.subarray(i, i + 1));
      await sleep(1000);
    }
    await raw.end;
    const took = Date.now() - begun;
    assert.ok(took > 9000 && took < 14000, `${took} ms`);
  });

  test('a message that is never finished: closed after 60 s, one byte a second does not prolong it', { skip: !process.env.FULL && 'a minute: FULL=1' }, async () => {
    const begun = Date.now();
    const raw = await rawWebSocket(server.port);
    raw.write(frame(TEXT, '{', { fin: false }));
    while (!raw.isOver && Date.now() - begun < 75000) {
      raw.write(frame(CONTINUATION, ' ', { fin: false }));
      await sleep(1000);
    }
    const took = Date.now() - begun;
    assert.ok(took > 58000 && took < 70000, `${took} ms`);
  });

  test('others are served all the while', async () => {
    const other = await server.connect();
    for (let i = 0; i < 20; i++) {
      const begun = Date.now();
      assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
      assert.ok(Date.now() - begun < 500);
      await sleep(250);
    }
    other.close();
  });
});

test('after all that the first client is still there', async () => {
  assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
});
