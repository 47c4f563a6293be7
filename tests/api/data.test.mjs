// Data lines in descriptions: offered, answered, added, dropped, refused, in their two spellings (webrtc.md 1, 2, 3, 19).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { offer, offerSdp, parseSdp } from './lib/sdp.mjs';
import { openPeer } from './lib/peer.mjs';

let server, client, session;

before(async () => {
  server = await startServer({ rooms: { 'room-1234': { description: 'Data', publishers: 20 } } });
  client = await server.connect();
  session = await client.session();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

const AUDIO = { kind: 'audio' }, DATA = { kind: 'data' };

const attach = plugin => session.attach(`janus.plugin.${plugin}`);

/* The line as it stands, from "m=" on, without what comes before and after it. */
const section = (sdp, index) => sdp.split(/^(?=m=)/m).slice(1)[index];

async function echo(jsep, handle) {
  const own = handle ?? await attach('echotest');
  const event = await own.message({ audio: true }, jsep);
  return { handle: own, sdp: event.jsep?.sdp, data: event.data };
}

describe('the echo test', () => {
  test('a data line is taken, with or without others', async () => {
    for (const media of [[DATA], [AUDIO, DATA], [DATA, AUDIO, { kind: 'video' }]]) {
      const { handle, sdp } = await echo(offer({ media }));
      const index = media.indexOf(DATA);
      const line = section(sdp, index);
      assert.match(line, /^m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r\n/);
      assert.match(line, /a=sctp-port:5000\r\n/);
      if (!IS_REFERENCE)
        assert.match(line, /a=max-message-size:262144\r\n/);
      assert.match(line, new RegExp(`a=mid:${index}\r\n`));
      assert.match(line, /a=setup:active\r\n/);
      assert.match(line, /a=ice-ufrag:/);
      assert.doesNotMatch(line, /rtcp-mux|rtpmap|ssrc|msid/);
      assert.match(sdp, new RegExp(`a=group:BUNDLE ${media.map((m, i) => i).join(' ')}\r\n`));
      await handle.detach();
    }
  });

  test('the old form is answered in its own words', async () => {
    const old = offerSdp({ media: [DATA] }).replace('UDP/DTLS/SCTP webrtc-datachannel', 'DTLS/SCTP 5000').replace('a=sctp-port:5000', 'a=sctpmap:5000 webrtc-datachannel 1024');
    const { handle, sdp } = await echo({ type: 'offer', sdp: old });
    assert.match(sdp, /m=application 9 DTLS\/SCTP 5000\r\n/);
    assert.match(sdp, /a=sctpmap:5000 webrtc-datachannel 16\r\n/);
    assert.doesNotMatch(sdp, /a=sctp-port/);
    await handle.detach();
  });

  test('a trial\'s a=sctp-init is passed over', async () => {
    const sdp = offerSdp({ media: [DATA] }).replace('a=sctp-port:5000', 'a=sctp-port:5000\r\na=sctp-init:AQAAJDaLGHQABgAA//////Wb2n3AAAAEgAgABsDBggA==');
    const answered = await echo({ type: 'offer', sdp });
    assert.match(answered.sdp, /m=application 9 /);
    assert.doesNotMatch(answered.sdp, /sctp-init/);
    await answered.handle.detach();
  });

  test('a second data line, and one of another protocol, are rejected', async () => {
    const two = await echo(offer({ media: [DATA, DATA] }));
    assert.match(section(two.sdp, 0), /^m=application 9 /);
    assert.match(section(two.sdp, 1), /^m=application 0 UDP\/DTLS\/SCTP webrtc-datachannel\r\n/);
    assert.match(two.sdp, /a=group:BUNDLE 0\r\n/);
    await two.handle.detach();
    const tcp = await echo({ type: 'offer', sdp: offerSdp({ media: [AUDIO, DATA] }).replace('UDP/DTLS/SCTP', 'TCP/DTLS/SCTP') });
    assert.match(section(tcp.sdp, 1), /^m=application 0 TCP\/DTLS\/SCTP webrtc-datachannel\r\n/);
    await tcp.handle.detach();
  });

  test('bundle-only, with port 0, means that it is there', async () => {
    const sdp = offerSdp({ media: [AUDIO, DATA] }).replace('m=application 9', 'm=application 0').replace('a=sctp-port', 'a=bundle-only\r\na=sctp-port');
    const answered = await echo({ type: 'offer', sdp });
    assert.match(section(answered.sdp, 1), /^m=application 9 /);
    await answered.handle.detach();
  });

  test('added, dropped and added again in renegotiations', async () => {
    const peer = await openPeer();
    const handle = await attach('echotest');
    const first = await handle.message({ audio: true }, peer.offer({ media: [AUDIO] }));
    await peer.connect(first.jsep.sdp);
    const dropped = { type: 'offer', sdp: peer.offer({ media: [AUDIO, DATA] }).sdp.replace('m=application 9', 'm=application 0') };
    for (const [jsep, port] of [[peer.offer({ media: [AUDIO, DATA] }), 9], [dropped, 0], [peer.offer({ media: [AUDIO, DATA] }), 9]]) {
      const { sdp } = await echo(jsep, handle);
      assert.match(section(sdp, 1), new RegExp(`^m=application ${port} `));
    }
    await handle.detach();
    peer.close();
  });

  test('nonsense on a data line hurts nobody', async () => {
    for (const line of ['a=sctp-port:99999', 'a=max-message-size:-1', 'a=max-message-size:99999999999999999999', 'a=sctpmap:x y z', 'a=sctp-init:' + 'A'.repeat(2000)]) {
      const sdp = offerSdp({ media: [DATA] }).replace('a=max-message-size:262144', line);
      const answered = await echo({ type: 'offer', sdp });
      assert.match(answered.sdp ?? '', /m=application 9 /, line);
      await answered.handle.detach();
    }
  });
});

describe('rooms', () => {
  async function publish(media) {
    const peer = await openPeer();
    const handle = await attach('videoroom');
    const { data: { id } } = await handle.message({ request: 'join', room: 1234, ptype: 'publisher' });
    const published = await handle.message({ request: 'publish' }, peer.offer({ media }));
    await peer.connect(published.jsep.sdp);
    await handle.next(m => m.janus === 'webrtcup');
    return { peer, handle, id, answer: published.jsep.sdp, own: published.data, close: async () => { await handle.detach(); peer.close(); } };
  }

  test('a data stream is published, by its index', async () => {
    const publisher = await publish([DATA, AUDIO]);
    assert.match(section(publisher.answer, 0), /^m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r\n/);
    assert.deepEqual(publisher.own.streams[0], { type: 'data', mindex: 0, mid: '0' });
    await publisher.close();
  });

  test('all sources of a subscription share one data line', async () => {
    const one = await publish([DATA]), two = await publish([AUDIO, DATA]);
    const handle = await attach('videoroom');
    const { data, jsep } = await handle.message({ request: 'join', room: 1234, ptype: 'subscriber', streams: [{ feed: one.id }, { feed: two.id }] });
    assert.equal(data.videoroom, 'attached', JSON.stringify(data));
    assert.deepEqual(data.streams[0], { type: 'data', active: true, mindex: 0, mid: '0', ready: false, send: true, sources: 2, source_ids: [one.id, two.id] });
    assert.deepEqual(parseSdp(jsep.sdp).media.map(m => m.kind ?? m.type), ['application', 'audio']);
    assert.match(section(jsep.sdp, 0), /^m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r\n/);
    assert.match(section(jsep.sdp, 0), /a=sendonly\r\n/);
    assert.match(section(jsep.sdp, 0), /a=setup:actpass\r\n/);
    await handle.detach();
    await one.close();
    await two.close();
  });

  test('another data source is no reason for an offer', async () => {
    const one = await publish([DATA]), two = await publish([DATA]);
    const peer = await openPeer();
    const handle = await attach('videoroom');
    const { jsep } = await handle.message({ request: 'join', room: 1234, ptype: 'subscriber', streams: [{ feed: one.id }] });
    await handle.message({ request: 'start' }, peer.answer(jsep.sdp));
    const more = await handle.message({ request: 'subscribe', streams: [{ feed: two.id }] });
    assert.deepEqual(more.data, { videoroom: 'updated', room: 1234 });
    assert.equal(more.jsep, undefined);
    const less = await handle.message({ request: 'unsubscribe', streams: [{ feed: one.id }] });
    assert.deepEqual(less.data, { videoroom: 'updated', room: 1234 });
    for (const close of [() => handle.detach(), one.close, two.close])
      await close();
    peer.close();
  });
});
