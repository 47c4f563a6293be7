// EchoTest: every field, right, wrong and hostile; offers of every kind, renegotiation, hangup (echotest.md).

import { ECHO_FIELDS, NUMBERS_BEYOND, anything, wrongFor } from '../../api/lib/fields.mjs';
import { ECHOTEST } from '../lib/stage.mjs';

const both = { audio: true, video: true };
const audio = { kind: 'audio' }, video = { kind: 'video' }, data = { kind: 'data' };

const OFFERS = {
  'audio and video': [audio, video],
  'audio alone': [audio],
  'video alone': [video],
  'data alone': [data],
  'audio, video and data': [audio, video, data],
  'two of each': [audio, audio, video, video],
  'sendonly': [{ ...audio, direction: 'sendonly' }, { ...video, direction: 'sendonly' }],
  'recvonly': [{ ...audio, direction: 'recvonly' }, { ...video, direction: 'recvonly' }],
  'recvonly, two of each': [audio, audio, video, video].map(m => ({ ...m, direction: 'recvonly' })),
  'inactive': [{ ...audio, direction: 'inactive' }, { ...video, direction: 'inactive' }],
  'a line with port 0': [audio, { ...video, port: 0 }],
  'simulcast': [audio, { ...video, simulcast: true }],
  'every audio codec': ['opus', 'pcmu', 'pcma', 'g722'].map(codec => ({ ...audio, codecs: [codec] })),
  'every video codec': ['vp8', 'vp9', 'h264', 'av1'].map(codec => ({ ...video, codecs: [codec] })),
  'AV1 before VP8': [{ ...video, codecs: ['av1', 'vp8'] }],
  'RED': [{ ...audio, codecs: ['red', 'opus'] }],
  'mids of letters': [{ ...audio, mid: 'au' }, { ...video, mid: 'vi' }],
  'stereo, FEC and DTX': [{ ...audio, extra: ['a=fmtp:111 stereo=1;usedtx=1'] }],
  'bandwidth': [{ ...video, extra: ['b=AS:500', 'b=TIAS:500000'] }],
};

const offered = (name, media, more = {}, body = both) => ({
  name: `an offer: ${name}`,
  steps: async t => {
    const a = await t.attach('a', ECHOTEST);
    await a.newPeer();
    await a.ask(body, { ...a.peer.offer({ media }), ...more });
    await a.hangup();
  },
});

/* Each at the very end of a handle's life, since it may leave the reference in any state. */
const refused = (name, sdp) => ({
  name: `an offer that may not pass: ${name}`,
  steps: async t => {
    const a = await t.attach('a', ECHOTEST);
    await a.newPeer();
    await a.ask(both, { type: 'offer', sdp: sdp(a.peer.offer().sdp) });
    await t.api({ janus: 'ping' });
  },
});

const without = (sdp, pattern) => sdp.split('\r\n').filter(line => !pattern.test(line)).join('\r\n');

export default [
  {
    name: 'requests that do something, and that do nothing',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      for (const body of [{}, { audio: true }, { video: false }, { bitrate: 0 }, { bitrate: 1 }, { bitrate: 64000 }, { bitrate: 4294967295 }, { record: false }, { substream: 0 }, { substream: 2 }, { substream: 3 },
        { temporal: 0 }, { temporal: 2 }, { temporal: 3 }, { fallback: 0 }, { fallback: 250000 }, { filename: 'x' }, { audiocodec: 'opus' }, { videocodec: 'vp8' }, { videoprofile: '42e01f' }, { opusred: true },
        { min_delay: 0 }, { max_delay: 10 }, { min_delay: 20, max_delay: 10 }, { min_delay: -1, max_delay: -1 }, { audio: true, audiocodec: 'nothing' }, { nothing: 5 }, { request: 'nothing' },
        { audio: false, video: false, bitrate: 128000, substream: 1, temporal: 1 }])
        await a.ask(body, undefined, JSON.stringify(body));
    },
  },
  ...Object.entries(ECHO_FIELDS).filter(([field]) => !['svc', 'spatial_layer', 'temporal_layer'].includes(field)).map(([field, type]) => ({
    name: `${field} of every kind`,
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      for (const [kind, value] of wrongFor(type))
        await a.ask({ audio: true, [field]: value }, undefined, kind);
      for (const value of NUMBERS_BEYOND)
        await a.ask({ audio: true, [field]: value }, undefined, value);
    },
  })),
  {
    name: 'what it does not know is not looked at',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      for (const value of anything())
        await a.ask({ audio: true, unknown: value, request: value }, undefined, JSON.stringify(value));
    },
  },
  ...Object.entries(OFFERS).map(([name, media]) => offered(name, media)),
  offered('simulcast, lowest first', OFFERS.simulcast, { rid_order: 'lmh' }),
  offered('end-to-end encryption', OFFERS['audio and video'], { e2ee: true }),
  offered('without trickling', OFFERS['audio and video'], { trickle: false }),
  offered('RED, asked for', OFFERS.RED, {}, { ...both, opusred: true }),
  offered('audiocodec', OFFERS['audio and video'], {}, { ...both, audiocodec: 'pcma' }),
  offered('videocodec', OFFERS['audio and video'], {}, { ...both, videocodec: 'h264' }),
  offered('an audiocodec that is not offered', OFFERS['audio and video'], {}, { ...both, audiocodec: 'g722' }),
  offered('a videocodec that is none', OFFERS['audio and video'], {}, { ...both, videocodec: 'theora' }),
  offered('a profile that fits', OFFERS['audio and video'], {}, { ...both, videocodec: 'h264', videoprofile: '42e01f' }),
  offered('a profile that does not', OFFERS['audio and video'], {}, { ...both, videocodec: 'h264', videoprofile: '640c1f' }),
  offered('a profile of VP9', OFFERS['audio and video'], {}, { ...both, videocodec: 'vp9', videoprofile: '0' }),
  refused('nothing', () => ''),
  refused('v=0 alone', () => 'v=0\r\n'),
  refused('no m-line', sdp => sdp.slice(0, sdp.indexOf('m='))),
  refused('no fingerprint', sdp => without(sdp, /^a=fingerprint/)),
  refused('no ICE credentials', sdp => without(sdp, /^a=ice-(ufrag|pwd)/)),
  refused('no o=', sdp => without(sdp, /^o=/)),
  refused('no s=', sdp => without(sdp, /^s=/)),
  refused('no t=', sdp => without(sdp, /^t=/)),
  refused('no v=', sdp => without(sdp, /^v=/)),
  refused('no c=', sdp => without(sdp, /^c=/)),
  refused('no rtpmap', sdp => without(sdp, /^a=(rtpmap|fmtp|rtcp-fb)/)),
  refused('no setup', sdp => without(sdp, /^a=setup/)),
  refused('no mid', sdp => without(sdp, /^a=(mid|group)/)),
  refused('no BUNDLE', sdp => without(sdp, /^a=group/)),
  refused('line feeds alone', sdp => sdp.replaceAll('\r\n', '\n')),
  refused('a line of nonsense', sdp => sdp + 'nonsense\r\n'),
  refused('a line without a type', sdp => sdp + '=x\r\n'),
  refused('an m-line without formats', sdp => sdp.replace(/^(m=audio \S+ \S+).*$/m, '$1')),
  refused('an m-line with a port that is no number', sdp => sdp.replace('m=audio 9', 'm=audio x')),
  refused('an m-line of another kind', sdp => sdp.replace('m=audio', 'm=text')),
  refused('an m-line of plain RTP', sdp => sdp.replace('m=audio 9 UDP/TLS/RTP/SAVPF', 'm=audio 9 RTP/AVP')),
  refused('another version', sdp => sdp.replace('v=0', 'v=1')),
  refused('cut in the middle', sdp => sdp.slice(0, sdp.length >> 1)),
  refused('a thousand attributes', sdp => sdp + 'a=x:y\r\n'.repeat(1000)),
  refused('setup:passive', sdp => sdp.replaceAll('a=setup:active', 'a=setup:passive')),
  refused('setup:nonsense', sdp => sdp.replaceAll('a=setup:active', 'a=setup:nonsense')),
  {
    name: 'renegotiation: a line more, a line stopped, used again',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.publish({ request: undefined, ...both }, { media: [audio] });
      await a.renegotiate({ request: undefined, ...both }, { media: [audio, video] });
      await a.renegotiate({ request: undefined, ...both }, { media: [audio, { ...video, direction: 'inactive' }] });
      await a.renegotiate({ request: undefined, ...both }, { media: [audio, video] });
      await a.renegotiate({ request: undefined, ...both }, { media: [audio, video, { ...video, codecs: ['h264'] }] });
      await a.ask({ audio: false });
      await a.ask({ bitrate: 128000 });
    },
  },
  {
    name: 'an offer into one that was answered but never connected, and an answer to nothing',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.ask(both, { type: 'answer', sdp: 'v=0\r\n' });
      await a.newPeer();
      const offer = a.peer.offer();
      await a.ask(both, { ...offer, type: 'answer' });
      await a.ask(both, offer);
      await a.renegotiate({ request: undefined, ...both });
      await a.ask(both, { ...offer, type: 'answer' });
      await a.hangup();
      await a.hears('hangup');
    },
  },
  {
    name: 'done is said when the PeerConnection goes',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.publish({ request: undefined, ...both });
      await a.hangup();
      await a.hears('hangup');
      await a.hears('result');
    },
  },
  {
    name: 'a transport that vanishes takes its session with it',
    steps: async t => {
      const c = await t.client('c');
      const a = await c.attach('a', ECHOTEST);
      await a.publish({ request: undefined, ...both });
      const session_id = c.sessionId;
      await c.vanish();
      const other = await t.client('other');
      await t.quiet(300);
      await other.api({ janus: 'claim', session_id });
    },
  },
];
