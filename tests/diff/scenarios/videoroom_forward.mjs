// RTP forwarders of VideoRoom: what is asked for, what is answered, what becomes of them (videoroom.md 6). Nothing listens there.

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });
const audio = { kind: 'audio' }, video = { kind: 'video' };
const CRYPTO = Buffer.alloc(30, 7).toString('base64');

const forward = (more, mode = { streams: [{ mid: '0', port: 40000 }] }) => ({ request: 'rtp_forward', room: 4001, publisher_id: 1, host: '127.0.0.1', ...mode, ...more });

async function publisher(t, room, options, media = [audio, video]) {
  const p = await t.attach('p');
  await t.room(room, options, p);
  await p.ask(join(room, { id: 1, display: 'Al' }));
  await p.publish({}, { media });
  return p;
}

export default [
  {
    name: 'the new form: what is answered, listed and stopped',
    steps: async t => {
      await publisher(t, 4001);
      const a = await t.attach('a');
      for (const streams of [[], [{ mid: '0', port: 40000 }], [{ mid: '1', port: 40002, pt: 100, ssrc: 5 }], [{ mid: '0', port: 40004 }, { mid: '1', port: 40006 }], [{ mid: '9', port: 40000 }],
        [{ mid: '0', port: 40008, host: '127.0.0.2' }], [{ mid: '1', port: 40010, port_2: 40012, port_3: 40014 }], [{ mid: '1', port: 40016, simulcast: true }], [{ mid: '0', port: 0 }], [{ mid: '0' }], [{ port: 5 }], [{}],
        [{ mid: '0', port: 40018, host: 'nowhere.invalid' }], [{ mid: '0', port: 40020, host_family: 'ipv5' }], [{ mid: '0', port: 40022, host: '127.0.0.1', host_family: 'ipv4' }]])
        await a.ask(forward({}, { streams }), undefined, JSON.stringify(streams));
      await a.ask({ request: 'listforwarders', room: 4001 });
      const { forwarders } = await a.ask(forward({}));
      const stream_id = forwarders?.[0]?.stream_id;
      await a.ask({ request: 'stop_rtp_forward', room: 4001, publisher_id: 1, stream_id });
      await a.ask({ request: 'stop_rtp_forward', room: 4001, publisher_id: 1, stream_id }, undefined, 'stopped twice');
      await a.ask({ request: 'stop_rtp_forward', room: 4001, publisher_id: 9, stream_id: 5 });
      await a.ask({ request: 'stop_rtp_forward', room: 9, publisher_id: 1, stream_id: 5 });
    },
  },
  {
    name: 'the old form',
    steps: async t => {
      await publisher(t, 4001);
      const a = await t.attach('a');
      for (const mode of [{}, { audio_port: 40100 }, { video_port: 40102 }, { audio_port: 40104, video_port: 40106, data_port: 40108 }, { audio_port: 40110, audio_pt: 100, audio_ssrc: 7 }, { video_port: 40112, video_port_2: 40114, video_port_3: 40116 },
        { video_port: 40118, video_port_2: 40120, simulcast: true }, { audio_port: 0 }, { audio_port: 40122, srtp_suite: 80, srtp_crypto: CRYPTO }, { audio_port: 40124, srtp_suite: 32, srtp_crypto: CRYPTO },
        { audio_port: 40126, srtp_suite: 5, srtp_crypto: CRYPTO }, { audio_port: 40128, srtp_suite: 80 }, { audio_port: 40130, srtp_crypto: CRYPTO }, { audio_port: 40132, srtp_suite: 80, srtp_crypto: 'AAAA' }])
        await a.ask(forward({}, mode), undefined, JSON.stringify(mode));
      await a.ask({ request: 'listforwarders', room: 4001 });
    },
  },
  {
    name: 'RTCP ports',
    steps: async t => {
      await publisher(t, 4001);
      const a = await t.attach('a');
      await a.ask(forward({}, { streams: [{ mid: '1', port: 40200, rtcp_port: 40201 }] }));
      await a.ask(forward({}, { video_port: 40202, video_rtcp_port: 40203 }));
      await a.ask({ request: 'listforwarders', room: 4001 });
    },
  },
  {
    name: 'what is wrong, in which order it is noticed',
    steps: async t => {
      await publisher(t, 4001, { secret: 's' });
      const a = await t.attach('a');
      for (const more of [{}, { secret: 'x' }, { secret: 's', publisher_id: 9 }, { secret: 's', room: 9 }, { secret: 's', room: undefined }, { secret: 's', publisher_id: undefined }, { secret: 's', host: undefined }, { secret: 's', host: 5 },
        { secret: 's', host: '' }, { secret: 's', host: 'nowhere.invalid' }, { secret: 's', host_family: 'ipv5' }, { secret: 's', host_family: 'IPv4' }, { secret: 's', host: '::1' }, { secret: 's', host: '127.0.0.1', host_family: 'ipv6' }, { secret: 's', streams: 5 },
        { secret: 's' }])
        await a.ask(forward(more), undefined, `rtp_forward ${JSON.stringify(more)}`);
      for (const request of ['listforwarders', 'stop_rtp_forward'])
        for (const secret of [undefined, 'x', 's'])
          await a.ask({ request, room: 4001, publisher_id: 1, stream_id: 5, secret }, undefined, `${request} with ${secret}`);
      await a.ask({ request: 'listforwarders' });
      await a.ask({ request: 'listforwarders', room: 9 });
    },
  },
  {
    name: 'locked by the admin_key',
    server: { videoroom: { admin_key: 'key', lock_rtp_forward: true } },
    steps: async t => {
      const p = await t.attach('p');
      await t.room(4001, { admin_key: 'key' }, p);
      await p.ask(join(4001, { id: 1 }));
      await p.publish();
      for (const admin_key of [undefined, 'x', 5, 'key']) {
        await p.ask(forward({ admin_key }), undefined, `rtp_forward with ${admin_key}`);
        await p.ask({ request: 'stop_rtp_forward', room: 4001, publisher_id: 1, stream_id: 5, admin_key }, undefined, `stop_rtp_forward with ${admin_key}`);
      }
    },
  },
  {
    name: 'forwarders go with their publisher, and with its stream',
    steps: async t => {
      const p = await publisher(t, 4001);
      const a = await t.attach('a');
      await a.ask(forward({}, { streams: [{ mid: '0', port: 40300 }, { mid: '1', port: 40302 }] }));
      await p.ask({ request: 'unpublish' });
      await p.hears('hangup');
      await t.quiet(300);
      await a.ask({ request: 'listforwarders', room: 4001 });
      await a.ask(forward({}));
    },
  },
  {
    name: 'of somebody who does not publish',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(4001, {}, a);
      await a.ask(join(4001, { id: 1 }));
      await a.ask(forward({}));
      await a.ask(forward({}, { audio_port: 40400 }));
    },
  },
];
