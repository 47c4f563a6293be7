// Input that nobody sends by accident: long, deep, wide, wrong (issue: Bad input and loss). Whatever comes is answered with its
// code or dropped, nobody else waits for it, and nothing of it stays.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFileSync } from 'node:fs';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { encode } from './lib/fields.mjs';
import { openPeer } from './lib/peer.mjs';
import { CODECS, offer, offerSdp } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const MIB = 1 << 20;

let server;
let client;
let bystander;

before(async () => {
  server = await startServer({ name: 'api-hostile', rooms: { 'room-1': { publishers: 50 } } });
  client = await server.connect();
  bystander = await server.connect();
});

after(async () => {
  client?.close();
  bystander?.close();
  await server?.stop();
});

/* How long others waited at most while `work` went on, in ms. */
async function othersWait(work) {
  let longest = 0;
  let over = false;
  const asking = (async () => {
    while (!over) {
      const begun = performance.now();
      assert.equal((await bystander.request({ janus: 'ping' })).janus, 'pong');
      longest = Math.max(longest, performance.now() - begun);
      await new Promise(done => setTimeout(done, 2));
    }
  })();
  try {
    await work();
  } finally {
    over = true;
    await asking;
  }
  return longest;
}

const SLOW = /asan|tsan/.test(process.env.CARDEA_BIN ?? '') ? 20 : 1;      /* a sanitizer's build may take its time */

/* Generous: other programs share the machine, and what is looked for takes many seconds or for ever. */
const assertServed = waited => assert.ok(waited < 3000 * SLOW, `others waited ${waited} ms`);

const attach = async plugin => (await client.session()).attach(plugin);

describe('numbers beyond 2^53', () => {
  for (const id of ['9007199254740992', '9007199254740993', '9223372036854775807'])
    test(`session ${id}: exactly that one, in and out`, async () => {
      client.send(`{"janus":"create","transaction":"n","id":${id}}`);
      const text = await new Promise(done => client.socket.once('message', data => done(String(data))));
      assert.equal(text, `{"janus":"success","transaction":"n","data":{"id":${id}}}`);
      client.send(`{"janus":"keepalive","transaction":"k","session_id":${id}}`);
      const ack = await new Promise(done => client.socket.once('message', data => done(String(data))));
      assert.equal(ack, `{"janus":"ack","session_id":${id},"transaction":"k"}`);
      client.send(encode({ janus: 'keepalive', transaction: 'o', session_id: `@${BigInt(id) - 1n}` }));
      assert.equal((await client.next(m => m.transaction === 'o')).error.code, 458);
      client.send(`{"janus":"destroy","transaction":"d","session_id":${id}}`);
      assert.equal((await client.next(m => m.transaction === 'd')).janus, 'success');
      client.take();
    });

  test('what no integer holds: 454, or no integer', async () => {
    for (const number of ['9223372036854775808', '-9223372036854775809', '99999999999999999999999999', '1e999', '-1e999'])
      assert.equal((await client.refused(`{"janus":"keepalive","transaction":"t","session_id":${number}}`)).error.code, 454, number);
    for (const number of ['1e18', '9007199254740993.0', '1e300', '1.0'])
      assert.equal((await client.refused(`{"janus":"keepalive","transaction":"t","session_id":${number}}`)).error.code, 457, number);
  });

  test('rooms and people', async () => {
    const handle = await attach(ROOM);
    for (const room of ['9007199254740993', '9223372036854775807']) {
      client.send(encode({ janus: 'message', transaction: 'r', session_id: handle.session.id, handle_id: handle.id, body: { request: 'create', room: `@${room}` } }));
      const text = await new Promise(done => client.socket.once('message', data => done(String(data))));
      assert.ok(text.includes(`"room":${room},`), text);
      client.send(encode({ janus: 'message', transaction: 'x', session_id: handle.session.id, handle_id: handle.id, body: { request: 'destroy', room: `@${room}` } }));
      assert.equal((await client.next(m => m.transaction === 'x')).plugindata.data.videoroom, 'destroyed');
    }
    client.take();
    await handle.session.destroy();
  });
});

describe('deep', () => {
  const nested = (open, close, depth) => open.repeat(depth) + close.repeat(depth);

  for (const depth of [1000, 10000, 100000, 500000])
    test(`arrays and objects ${depth} levels deep: an answer, nobody waits`, async () => {
      const waited = await othersWait(async () => {
        for (const text of [nested('[', ']', depth), `{"janus":"ping","transaction":"deep","x":${nested('[', ']', depth)}}`,
          `{"janus":"ping","transaction":"deep","x":${nested('{"a":', '}', Math.min(depth, 150000)).replace('}', '1}')}}`]) {
          client.send(text);
          const reply = await client.next(m => m.janus === 'error' || m.janus === 'pong');
          assert.ok(reply.janus === 'pong' || [454, 456].includes(reply.error.code), JSON.stringify(reply));
        }
        client.send('['.repeat(depth));
        assert.equal((await client.next(m => m.janus === 'error')).error.code, 454);
      });
      assertServed(waited);
    });

  test('in every place where a document goes on', async () => {
    const deep = JSON.parse(nested('[', ']', 2000));
    const handle = await attach(ROOM);
    await handle.message({ request: 'join', room: 1, ptype: 'publisher' });
    for (const body of [{ request: 'configure', descriptions: deep }, { request: 'configure', streams: deep }, { request: 'configure', metadata: { a: deep } },
      { request: deep }, { request: 'create', allowed: deep }, { request: 'create', dummy_streams: deep }, { request: 'exists', room: deep }]) {
      const reply = await handle.message(body);
      assert.ok(reply.data !== undefined || reply.error !== undefined);
    }
    for (const more of [{ svc: deep }, { type: deep }, { sdp: deep }, { nothing: deep }]) {
      const echo = await handle.session.attach(ECHO);
      const reply = await echo.message({ audio: true }, { ...offer(), ...more });
      assert.ok(reply.data !== undefined || reply.error !== undefined);
      await echo.detach();
    }
    assert.equal((await handle.trickle(deep)).janus, 'ack');
    await handle.session.destroy();
  });
});

describe('wide', () => {
  test('texts of 1 MiB with as many values as they can hold: 454, nobody waits', { skip: IS_REFERENCE && 'no limit there' }, async () => {
    const waited = await othersWait(async () => {
      for (const item of ['{}', '[]', '0', '""', '{"a":0}', 'null']) {
        const count = Math.floor((MIB - 100) / (item.length + 1));
        client.send(`{"janus":"ping","transaction":"wide","x":[${`${item},`.repeat(count - 1)}${item}]}`);
        assert.equal((await client.next(m => m.janus === 'error' || m.janus === 'pong')).error?.code, 454, item);
      }
    });
    assertServed(waited);
  });

  test('forty thousand of them are worked on', async () => {
    const handle = await attach(ROOM);
    const session = handle.session;
    const many = item => Array.from({ length: 13000 }, () => item);
    await handle.message({ request: 'join', room: 1, ptype: 'publisher' });
    const waited = await othersWait(async () => {
      assert.equal((await handle.trickle(many(null))).janus, 'ack');
      assert.equal((await handle.trickle(many({ completed: true }))).janus, 'ack');
      assert.equal((await handle.trickle(many({ sdpMid: '0', candidate: 'x' }))).janus, 'ack');
      for (const body of [{ request: 'configure', descriptions: many({ mid: '0', description: 'x' }) }, { request: 'configure', streams: many({ mid: '0' }) },
        { request: 'configure', metadata: { a: many({ b: 1 }) } }, { request: 'create', allowed: many('token') }, { request: 'create', dummy_streams: many({ codec: 'vp8' }) }]) {
        const reply = await handle.message(body);
        assert.ok(reply.data !== undefined, JSON.stringify(reply).slice(0, 300));
        if (reply.data.videoroom === 'created')
          await handle.sync({ request: 'destroy', room: reply.data.room });
      }
      for (const more of [{ svc: many({ mindex: 1, svc: 'L3T3' }) }, { simulcast: many({ rids: [] }) }]) {
        const echo = await session.attach(ECHO);
        assert.equal((await echo.message({ audio: true }, { ...offer(), ...more })).jsep.type, 'answer');
        await echo.detach();
      }
      const viewer = await session.attach(ROOM);
      const reply = await viewer.message({ request: 'join', room: 1, ptype: 'subscriber', streams: many({ feed: 5 }) });
      assert.equal(reply.data.error_code, 428);
    });
    assertServed(waited);
    await session.destroy();
  });
});

describe('long', () => {
  const LONG = 'x'.repeat(900000);

  test('every text of the core with 900,000 characters', async () => {
    const session = await client.session();
    for (const message of [{ janus: LONG }, { janus: 'attach', session_id: session.id, plugin: LONG }, { janus: 'attach', session_id: session.id, plugin: ECHO, opaque_id: LONG },
      { janus: 'create', apisecret: LONG }, { janus: 'create', token: LONG }, { janus: 'attach', session_id: session.id, plugin: ECHO, token: LONG }]) {
      const reply = await client.request(message);
      assert.ok(['success', 'error'].includes(reply.janus));
      assert.ok(JSON.stringify(reply).length < 2000, 'no echo of what is long');
    }
    await session.destroy();
  });

  test('CVE-2020-13901, CVE-2020-14034: 10^5 characters in every text field of the rooms and of the echo test', async () => {
    const text = 'x'.repeat(100000);
    const handle = await attach(ROOM);
    const { data: joined } = await handle.message({ request: 'join', room: 1, ptype: 'publisher', display: 'short' });
    assert.equal(joined.videoroom, 'joined');
    for (const body of [...['description', 'secret', 'pin', 'audiocodec', 'videocodec', 'vp9_profile', 'h264_profile', 'rec_dir'].map(field => ({ request: 'create', [field]: text })),
      ...['new_description', 'new_secret', 'new_pin', 'new_rec_dir'].map(field => ({ request: 'edit', room: 1, [field]: field === 'new_rec_dir' ? text : `${text}!` })),
      { request: text }, { request: 'exists', room: text }, { request: 'allowed', room: 1, action: text }, 
      { request: 'configure', display: text }, { request: 'configure', metadata: { a: text } }, { request: 'configure', metadata: { [text]: 1 } }, { request: 'configure', filename: text },
      { request: 'configure', audiocodec: text }, { request: 'configure', streams: [{ mid: text }] }, { request: 'configure', descriptions: [{ mid: text, description: text }] }]) {
      const own = body.new_secret !== undefined || body.new_pin !== undefined ? (await handle.sync({ request: 'create' })).room : undefined;
      const reply = await handle.message(own === undefined ? body : { ...body, room: own });
      assert.ok(reply.data !== undefined, JSON.stringify(reply).slice(0, 300));
      assert.ok(JSON.stringify(reply).length < 3000, `no echo of what is long: ${JSON.stringify(body).slice(0, 60)}: ${JSON.stringify(reply).slice(0, 300)}`);
      if (reply.data.videoroom === 'created')
        await handle.sync({ request: 'destroy', room: reply.data.room, secret: body.secret });
    }
    for (const ptype of ['publisher', 'subscriber', text]) {
      const other = await handle.session.attach(ROOM);
      for (const more of [{ display: text }, { token: text }, { pin: text }, { metadata: { a: text } }, { streams: [{ feed: 5, mid: text, crossrefid: text }] }])
        assert.ok((await other.message({ request: 'join', room: 1, ptype, ...more })).data !== undefined);
      await other.detach();
    }
    const echo = await handle.session.attach(ECHO);
    for (const field of ['filename', 'audiocodec', 'videocodec', 'videoprofile'])
      assert.equal((await echo.message({ audio: true, [field]: text })).data.result, 'ok');
    assert.ok((await echo.message({ videocodec: text, audiocodec: text, videoprofile: text }, offer())).jsep.sdp.length < 20000);
    await handle.session.destroy();
  });
});

describe('descriptions', { skip: IS_REFERENCE && 'some of it leaves the reference without an answer' }, () => {
  /* What comes for this SDP: a code of the core, an answer, or the plugin's error. */
  async function tryOffer(sdp, plugin = ECHO) {
    const handle = await attach(plugin);
    const reply = await handle.message(plugin === ECHO ? { audio: true } : { request: 'joinandconfigure', room: 1, ptype: 'publisher' }, { type: 'offer', sdp });
    const what = reply.error?.code ?? reply.data.error_code ?? reply.jsep?.type;
    assert.ok([465, 490, 414, 430, 437, 'answer', 454].includes(what), `${JSON.stringify(reply).slice(0, 500)}`);
    if (reply.jsep)
      assert.ok(reply.jsep.sdp.length < 300000);
    await handle.session.destroy();
    return what;
  }

  const good = offerSdp();
  const lines = good.split('\r\n').slice(0, -1);

  test('a million lines', async () => {
    const waited = await othersWait(async () => {
      for (const line of ['a', 'a=x\r\n', 'm=a 1 a 1\n', 'a=a\n', '\n', '\r\n']) {
        const room = MIB - good.length - 1000;
        const encoded = JSON.stringify(line).length - 2;
        const count = Math.min(1000000, Math.floor(room / encoded));
        await tryOffer(good + line.repeat(count));
      }
    });
    assertServed(waited);
  });

  test('a security row: 10^4 lines of each kind', async () => {
    const waited = await othersWait(async () => {
      for (const line of ['m=audio 9 UDP/TLS/RTP/SAVPF 111', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=candidate:1 1 udp 1 127.0.0.1 9 typ host',
        'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 useinbandfec=1', 'a=extmap:1 urn:x', 'a=ssrc:5 cname:x', 'a=ssrc-group:SIM 1 2 3', 'a=rid:h send', 'a=simulcast:send h;m;l', 'a=mid:0',
        'a=ice-ufrag:abcd', 'a=fingerprint:sha-256 00', 'a=group:BUNDLE 0 1', 'a=rtcp-fb:96 nack', 'a=sendrecv', 'b=AS:5', 'c=IN IP4 127.0.0.1', 'a=crypto:1 x', 'a=setup:active', 'a=msid:a b'])
        await tryOffer(good + `${line}\r\n`.repeat(Math.min(10000, Math.floor((MIB - 20000) / (line.length + 4)))), line.length % 2 === 0 ? ECHO : ROOM);
    });
    assertServed(waited);
  });

  test('CVE-2020-13898, CVE-2020-13900: every line missing, empty, doubled, cut, and with 10^5 characters', async () => {
    const outcomes = new Map();
    for (let i = 0; i < lines.length; i++) {
      const [head] = /^(.=[^:\s]*:?)/.exec(lines[i]);
      for (const variant of [[], [''], [head], [lines[i].slice(0, 2)], [lines[i], lines[i]], [lines[i].slice(0, Math.ceil(lines[i].length / 2))], [head + 'x'.repeat(100000)],
        [head + '9'.repeat(100000)], [`${lines[i]} ${'x '.repeat(50000)}`], [lines[i].replace(/\d+/g, '99999999999999999999')], [lines[i].replace(/\d+/g, '-1')], [lines[i].toUpperCase()],
        [lines[i].replace(/[:=]/g, '')], [`${lines[i]}\u00e9\u{1F6AA}`]]) {
        const what = await tryOffer([...lines.slice(0, i), ...variant, ...lines.slice(i + 1), ''].join('\r\n'), i % 2 === 0 ? ECHO : ROOM);
        outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
      }
    }
    console.log(`    outcomes: ${[...outcomes].map(([what, n]) => `${what}: ${n}`).join(', ')}`);
  });

  test('cut at every tenth byte', async () => {
    for (let at = 0; at < good.length; at += 10)
      await tryOffer(good.slice(0, at), at % 20 === 0 ? ECHO : ROOM);
  });

  test('kinds, payloads and mids that are none', async () => {
    for (const [from, to] of [[/^m=video/gm, 'm=image'], [/^m=video/gm, 'm='], [/UDP\/TLS\/RTP\/SAVPF/g, 'RTP/AVP'], [/UDP\/TLS\/RTP\/SAVPF/g, 'x'], [/a=mid:\d/g, 'a=mid:same'],
      [/a=mid:(\d)/g, (_, n) => `a=mid:${n.repeat(5000)}`], [/111/g, '999'], [/opus\/48000\/2/g, 'opus/0/0'], [/VP8\/90000/g, 'VP8/4294967296'], [/VP8/g, 'V'.repeat(50000)],
      [/a=extmap:\d+/g, 'a=extmap:255'], [/a=extmap:\d+/g, 'a=extmap:0'], [/a=extmap:\d+/g, 'a=extmap:5'], [/apt=\d+/g, 'apt=97'], [/a=setup:actpass/g, 'a=setup:holdconn'],
      [/sha-256/g, 'md5'], [/sha-256/g, 'sha-512'], [/a=ice-ufrag:.*/g, 'a=ice-ufrag:a'], [/a=ice-ufrag:.*/g, `a=ice-ufrag:${'a'.repeat(256)}`], [/a=ice-ufrag:.*/g, `a=ice-ufrag:${'a'.repeat(257)}`],
      [/a=ice-pwd:.*/g, 'a=ice-pwd:short'], [/^m=audio 9/gm, 'm=audio 0'], [/^m=(audio|video) 9/gm, 'm=$1 0'], [/a=group:BUNDLE.*/g, 'a=group:BUNDLE x y z'], [/a=group:BUNDLE.*\r\n/g, ''],
      [/a=rtcp-mux\r\n/g, ''], [/a=sendrecv/g, 'a=inactive']])
      await tryOffer(good.replace(from, to), to.length % 2 === 0 ? ECHO : ROOM);
  });

  test('as many m-lines, codecs, extensions and candidates as a browser would never send', async () => {
    const waited = await othersWait(async () => {
      for (const count of [2, 16, 64, 128, 300])
        for (const plugin of [ECHO, ROOM])
          await tryOffer(offerSdp({ media: Array.from({ length: count }, (_, i) => ({ kind: i % 2 ? 'video' : 'audio', codecs: i % 2 ? ['vp8'] : ['opus'] })) }), plugin);
      await tryOffer(offerSdp({ candidates: Array.from({ length: 5000 }, (_, i) => `candidate:${i} 1 udp ${i} 127.0.0.1 ${1024 + i} typ host`) }));
      await tryOffer(offerSdp({ media: [{ kind: 'video', extra: Array.from({ length: 5000 }, (_, i) => `a=ssrc:${i} cname:x`) }] }), ROOM);
      await tryOffer(offerSdp({ media: [{ kind: 'audio', codecs: Object.keys(CODECS).filter(c => CODECS[c].map.includes('48000')), extra: Array.from({ length: 3000 }, (_, i) => `a=extmap:${i} urn:${i}`) }] }));
      await tryOffer(offerSdp({ media: [{ kind: 'video', simulcast: true, extra: [`a=simulcast:send ${'a;'.repeat(20000)}b`, ...Array.from({ length: 2000 }, (_, i) => `a=rid:r${i} send`)] }] }), ROOM);
    });
    assertServed(waited);
  });
});

describe('nothing stays', () => {
  test('memory after ten rounds of it is as after three', { skip: IS_REFERENCE && 'not ours to measure' }, async () => {
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);
    const round = async () => {
      const own = await server.connect();
      const session = await own.session();
      for (let i = 0; i < 10; i++) {
        const handle = await session.attach(i % 2 ? ROOM : ECHO);
        await handle.message(i % 2 ? { request: 'joinandconfigure', room: 1, ptype: 'publisher', metadata: { a: 'x'.repeat(1000) } } : { audio: true }, offer());
        for (let k = 0; k < 20; k++)
          await handle.trickle(Array.from({ length: 100 }, (_, n) => ({ sdpMid: '0', candidate: `candidate:${n} 1 udp 1 127.0.0.1 ${2000 + n} typ host` })));
        await own.refused(`{"x":${'['.repeat(2000)}`);
        own.send(`{"janus":"ping","transaction":"b","x":"${'x'.repeat(MIB - 100)}"}`);
        await own.next(m => m.transaction === 'b');
      }
      await own.vanish();
    };
    for (let i = 0; i < 3; i++)
      await round();
    const begun = rss();
    for (let i = 0; i < 10; i++)
      await round();
    const grown = rss() - begun;
    console.log(`    ${begun} KB, then ${grown} KB more`);
    if (SLOW === 1)
      assert.ok(grown < 8000, `${grown} KB`);
  });

  test('the rooms are empty, the server is well', async () => {
    const handle = await attach(ROOM);
    assert.deepEqual((await handle.sync({ request: 'listparticipants', room: 1 })).participants, []);
    const peer = await openPeer();
    const echo = await handle.session.attach(ECHO);
    const { jsep } = await echo.message({ audio: true }, peer.offer());
    await peer.connect(jsep.sdp);
    await echo.next(m => m.janus === 'webrtcup');
    peer.close();
    await handle.session.destroy();
  });
});
