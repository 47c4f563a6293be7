// The echo test without media: its one request, its checks in their order, and the answers it makes (echotest.md).

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { offer, parseSdp } from './lib/sdp.mjs';

let server;
let client;
let session;
let handle;

before(async () => {
  server = await startServer();
  client = await server.connect();
  session = await client.session();
});
after(async () => {
  await client?.close();
  await server?.stop();
});
beforeEach(async () => { handle = await session.attach('janus.plugin.echotest'); });
afterEach(async () => { await handle.detach(); });

const data = async (body, jsep) => (await handle.message(body, jsep)).data;
const OK = { echotest: 'event', result: 'ok' };

/* Fields that Debian's version of the reference does not know. */
const LATER = new Set(['svc', 'spatial_layer', 'temporal_layer']);
const isKnown = field => !IS_REFERENCE || !LATER.has(field);

describe('requests', () => {
  test('nothing useful is 413', async () => {
    for (const body of [{}, { audiocodec: 'opus' }, { filename: 'x' }, { svc: true }, { request: 'whatever' }, { unknown: 5 }]) {
      const d = await data(body);
      assert.deepEqual(Object.keys(d), ['echotest', 'error_code', 'error']);
      assert.equal(d.error_code, 413, JSON.stringify(body));
      assert.equal(d.error, 'Message error: no supported attributes found');
    }
  });

  test('each useful field is enough by itself', async () => {
    for (const body of [{ audio: true }, { video: false }, { videocodec: 'vp8' }, { videoprofile: '42e01f' }, { opusred: false }, { bitrate: 0 }, { bitrate: 128000 },
      { fallback: 500000 }, { spatial_layer: 1 }, { temporal_layer: 1 }, { substream: 1 }, { temporal: 1 }, { min_delay: 0 }, { max_delay: 5 }])
      if (isKnown(Object.keys(body)[0]))
        assert.deepEqual(await data(body), OK, JSON.stringify(body));
  });

  test('types are checked, and the text names the field and its type', async () => {
    for (const [field, type, bad] of [['audio', 'a boolean', 5], ['video', 'a boolean', 'true'], ['bitrate', 'a positive integer', -1], ['bitrate', 'a positive integer', 1.5],
      ['substream', 'a positive integer', '1'], ['temporal', 'a positive integer', null], ['fallback', 'a positive integer', -5], ['svc', 'a boolean', 1],
      ['spatial_layer', 'a positive integer', {}], ['temporal_layer', 'a positive integer', []], ['audiocodec', 'a string', 5], ['videocodec', 'a string', null],
      ['videoprofile', 'a string', 42], ['opusred', 'a boolean', 'no'], ['min_delay', 'an integer', '1'], ['max_delay', 'an integer', 1.5]]) {
      if (!isKnown(field))
        continue;
      const d = await data({ audio: true, [field]: bad });
      assert.equal(d.error_code, 413, `${field}: ${JSON.stringify(bad)}`);
      assert.equal(d.error, `Invalid element type (${field} should be ${type})`);
    }
    assert.match((await data({ max_delay: 'x', video: 5, bitrate: 'y' })).error, /\(video /, 'the first in the order of the fields');
  });

  test('layers end at 2', async () => {
    for (const field of ['substream', 'temporal', 'spatial_layer', 'temporal_layer'].filter(isKnown)) {
      for (const value of [3, 255, 4294967296, Number.MAX_SAFE_INTEGER])
        assert.equal((await data({ [field]: value })).error, `Invalid value (${field} should be 0, 1 or 2)`);
      for (const value of [0, 1, 2])
        assert.deepEqual(await data({ [field]: value }), OK);
    }
  });
});

describe('answers', () => {
  const answer = async (options, body = { audio: true, video: true }) => {
    const { data: d, jsep } = await handle.message(body, offer(options));
    assert.deepEqual(d, OK);
    assert.deepEqual(Object.keys(jsep), ['type', 'sdp']);
    assert.equal(jsep.type, 'answer');
    return parseSdp(jsep.sdp);
  };

  test('one m-line for each offered one, one codec each, by our preference, with all that a transport needs', async () => {
    const { session: head, media } = await answer({ media: [{ kind: 'audio', codecs: ['pcma', 'opus'] }, { kind: 'video', codecs: ['h264', 'vp8'] }] });
    assert.deepEqual(media.map(m => m.kind), ['audio', 'video']);
    assert.deepEqual(media[0].codecs, ['opus']);
    assert.equal(media[1].codecs[0], 'vp8');
    assert.ok(head.includes('a=group:BUNDLE 0 1'), head.join());
    for (const m of media) {
      assert.notEqual(m.port, 0);
      for (const prefix of ['a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:sha-256 ', 'a=mid:', 'a=rtcp-mux'])
        assert.ok([...head, ...m.attributes].some(a => a.startsWith(prefix)), `${m.kind} lacks ${prefix}`);
      assert.ok(m.attributes.some(a => a === 'a=setup:active' || a === 'a=setup:passive'));
    }
  });

  test('directions mirror the offer', async () => {
    for (const [offered, answered] of [['sendrecv', 'sendrecv'], ['sendonly', 'recvonly'], ['inactive', 'inactive']]) {
      const h = await session.attach('janus.plugin.echotest');
      const { jsep } = await h.message({ audio: true, video: true }, offer({ media: [{ kind: 'audio', direction: offered }, { kind: 'video', direction: offered }] }));
      assert.deepEqual(parseSdp(jsep.sdp).media.map(m => m.direction), [answered, answered], offered);
      await h.detach();
    }
  });

  test('candidates are in the answer, with their end', async () => {
    const { media } = await answer();
    const candidates = media[0].attributes.filter(a => a.startsWith('a=candidate:'));
    assert.ok(candidates.length > 0);
    for (const c of candidates)
      assert.match(c, /^a=candidate:\S+ 1 udp \d+ \S+ \d+ typ (host|srflx)/i);
    assert.ok(media[0].attributes.includes('a=end-of-candidates'));
  });

  test('a codec that is asked for is taken; one that is not there rejects the m-line', async () => {
    for (const name of ['vp9', 'h264', 'VP8']) {
      const h = await session.attach('janus.plugin.echotest');
      const { jsep } = await h.message({ audio: true, video: true, videocodec: name }, offer());
      assert.equal(parseSdp(jsep.sdp).media[1].codecs[0], name.toLowerCase());
      await h.detach();
    }
    const { media } = await answer({}, { audio: true, video: true, videocodec: 'av1' });
    assert.equal(media[1].port, 0);
    assert.notEqual(media[0].port, 0);
  });

  test('feedback and extensions: those the server can serve, with the offered numbers', async () => {
    const { media } = await answer();
    const video = media[1];
    for (const feedback of ['ccm fir', 'nack', 'nack pli', 'goog-remb', 'transport-cc'])
      assert.ok(video.attributes.includes(`a=rtcp-fb:${video.payloads[0]} ${feedback}`), feedback);
    for (const extension of ['a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid', 'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01'])
      assert.ok(video.attributes.includes(extension), extension);
  });

  test('simulcast is answered', async () => {
    const { media } = await answer({ media: [{ kind: 'audio' }, { kind: 'video', simulcast: true }] });
    assert.ok(media[1].attributes.some(a => a.startsWith('a=simulcast:recv')), media[1].attributes.join('\n'));
    assert.equal(media[1].attributes.filter(a => /^a=rid:\S+ recv/.test(a)).length, 3);
  });

  test('a renegotiation may add an m-line', async () => {
    assert.equal((await answer({ media: [{ kind: 'audio' }] })).media.length, 1);
    const second = await answer({ version: 3, media: [{ kind: 'audio' }, { kind: 'video' }] });
    assert.equal(second.media.length, 2);
    assert.notEqual(second.media[1].port, 0);
  });

  test('new credentials from the client bring new ones from us, old ones keep ours', async () => {
    const ufrag = sdp => /a=ice-ufrag:(\S+)/.exec(sdp)[1];
    const ask = async options => (await handle.message({ audio: true, video: true }, offer(options))).jsep.sdp;
    const one = await ask();
    assert.equal(ufrag(await ask({ version: 3 })), ufrag(one));
    assert.notEqual(ufrag(await ask({ version: 4, ufrag: 'another', pwd: 'anotherpasswordanotherpass' })), ufrag(one));
  });
});
