// VideoRoom's publishers: answers to offers of every kind, configure, renegotiation, unpublish, how others are told (videoroom.md 8, 9, 13.2).

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });
const audio = { kind: 'audio' }, video = { kind: 'video' }, data = { kind: 'data' };

/* name, the offer's lines, the room's options, the request's. */
const OFFERS = [
  ['audio and video', [audio, video]],
  ['sendonly', [{ ...audio, direction: 'sendonly' }, { ...video, direction: 'sendonly' }]],
  ['recvonly and inactive', [{ ...audio, direction: 'recvonly' }, { ...video, direction: 'inactive' }]],
  ['a codec that the room does not take', [{ ...audio, codecs: ['pcma'] }, { ...video, codecs: ['vp9'] }]],
  ['only lines that the room does not take', [{ ...video, codecs: ['vp9'] }]],
  ['the room\'s order counts', [{ ...audio, codecs: ['pcmu', 'opus'] }, { ...video, codecs: ['h264', 'vp8'] }]],
  ['three videos', [audio, video, { ...video, codecs: ['h264'] }, video]],
  ['simulcast', [audio, { ...video, simulcast: true }]],
  ['two simulcasts', [{ ...video, simulcast: true }, { ...video, simulcast: true }]],
  ['data', [audio, video, data]],
  ['data alone', [data]],
  ['mids of letters', [{ ...audio, mid: 'a' }, { ...video, mid: 'v' }]],
  ['without FEC', [audio], { opus_fec: false }],
  ['DTX and stereo', [{ ...audio, extra: ['a=fmtp:111 stereo=1;usedtx=1'] }], { opus_dtx: true }],
  ['DTX where the room has none', [{ ...audio, extra: ['a=fmtp:111 usedtx=1'] }]],
  ['no extensions', [audio, video], { audiolevel_ext: false, videoorient_ext: false, playoutdelay_ext: false, transport_wide_cc_ext: false }],
  ['playout delay', [{ ...video, extra: ['a=extmap:12 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay'] }]],
  ['extensions with directions', [{ ...video, extra: ['a=extmap:12/sendonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay'] }]],
  ['VP9 of a profile', [{ ...video, codecs: ['vp9'] }], { videocodec: 'vp9', vp9_profile: '0' }],
  ['VP9 of another profile', [{ ...video, codecs: ['vp9'] }], { videocodec: 'vp9', vp9_profile: '2' }],
  ['H.264 of a profile', [{ ...video, codecs: ['h264'] }], { videocodec: 'h264', h264_profile: '42E01F' }],
  ['H.264 of another profile', [{ ...video, codecs: ['h264'] }], { videocodec: 'h264', h264_profile: '640c1f' }],
  ['AV1', [{ ...video, codecs: ['av1', 'vp8'] }], { videocodec: 'av1,vp8' }],
  ['audiocodec and videocodec', [audio, video], {}, { audiocodec: 'pcmu', videocodec: 'h264' }],
  ['an audiocodec that the room has not', [audio, video], {}, { audiocodec: 'pcma' }],
  ['a videocodec that the room has not', [audio, video], {}, { videocodec: 'vp9' }],
  ['a videocodec that is none', [audio, video], {}, { videocodec: 'theora' }],
  ['an audiocodec that is not offered', [{ ...audio, codecs: ['opus'] }, video], {}, { audiocodec: 'pcmu' }],
  ['descriptions', [audio, video], {}, { descriptions: [{ mid: '0', description: 'mike' }, { mid: '7', description: 'nothing' }] }],
  ['bitrate', [audio, video], { bitrate: 128000 }, { bitrate: 64000 }],
  ['end-to-end encryption where it is required', [audio, video], { require_e2ee: true }],
];

export default [
  ...OFFERS.map(([name, media, room = {}, body = {}]) => ({
    name: `an offer: ${name}`,
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c');
      await t.room(2001, room, a);
      await b.ask(join(2001));
      await a.ask(join(2001, { display: 'Al' }));
      await a.publish(body, { media });
      if (a.peer?.selected !== undefined && a.peer.client)
        await b.hears('publishers');
      await c.ask(join(2001));
      await c.ask({ request: 'listparticipants', room: 2001 });
    },
  })),
  ...['publish', 'configure'].map(request => ({
    name: `${request} with an offer, twice, then without one`,
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2002, {}, a);
      await b.ask(join(2002));
      await a.ask(join(2002));
      await a.publish({ request });
      await b.hears('publishers');
      await a.renegotiate({ request });
      await a.ask({ request });
    },
  })),
  {
    name: 'joinandconfigure with an offer',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2003, {}, a);
      await b.ask(join(2003));
      await a.publish({ request: 'joinandconfigure', room: 2003, ptype: 'publisher', display: 'Al', bitrate: 128000 });
      await b.hears('publishers');
      await t.attach('c').then(c => c.publish({ request: 'join', room: 2003, ptype: 'publisher' }));
    },
  },
  {
    name: 'joinandconfigure that fails, and is joined all the same',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(2004, {}, a);
      await a.publish({ request: 'joinandconfigure', room: 2004, ptype: 'publisher', videocodec: 'vp9' });
      await a.ask(join(2004));
      await a.ask({ request: 'listparticipants', room: 2004 });
    },
  },
  {
    name: 'end-to-end encryption: said in the answer, required, mixed',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2005, { require_e2ee: true }, a);
      await a.ask(join(2005));
      await b.ask(join(2005));
      await a.publish({}, { e2ee: true });
      await b.hears('publishers');
      await b.publish();
    },
  },
  {
    name: 'a full room: 432, and it stays so',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2006, { publishers: 1 }, a);
      await a.ask(join(2006));
      await b.ask(join(2006));
      await a.publish();
      await b.publish();
    },
  },
  {
    name: 'a room for nobody',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(2007, { publishers: 0 }, a);
      await a.ask(join(2007));
      await a.publish();
    },
  },
  {
    name: 'renegotiation: lines more, stopped, again, with other codecs',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2008, {}, a);
      await b.ask(join(2008));
      await a.ask(join(2008));
      await a.publish({}, { media: [audio] });
      await b.hears('publishers');
      for (const media of [[audio, video], [audio, { ...video, direction: 'inactive' }], [audio, { ...video, direction: 'recvonly' }], [audio, video], [audio, video, { ...video, codecs: ['h264'] }], [audio, { ...video, codecs: ['h264'] }, video]]) {
        await a.renegotiate({}, { media });
        await b.hears('publishers');
      }
    },
  },
  {
    name: 'unpublish, and publish again',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2009, {}, a);
      await b.ask(join(2009));
      await a.ask(join(2009, { display: 'Al' }));
      await a.ask({ request: 'unpublish' });
      await a.publish();
      await b.hears('publishers');
      await a.ask({ request: 'unpublish' });
      await b.hears('unpublished');
      await a.hears('hangup');
      await t.quiet(300);
      await a.ask({ request: 'unpublish' });
      await a.publish();
      await b.hears('publishers');
      await a.ask({ request: 'listparticipants', room: 2009 });
    },
  },
  {
    name: 'configure: everything that can be set, while publishing',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(2010, {}, a);
      await b.ask(join(2010));
      await a.ask(join(2010));
      await a.publish();
      for (const body of [{}, { bitrate: 0 }, { bitrate: 1 }, { bitrate: 128000 }, { bitrate: 4294967296 }, { keyframe: true }, { keyframe: false }, { audio: false }, { video: false, data: false }, { audio: true, video: true },
        { mid: '1', send: false }, { mid: '1', send: true }, { send: false }, { mid: '9' }, { streams: [] }, { streams: [{}] }, { streams: [{ mid: '0' }] }, { streams: [{ mid: '0', send: false }, { mid: '1', send: false }] },
        { streams: [{ send: true }, { send: true }] }, { streams: [{ mid: '9', send: true }] }, { streams: [{ mid: '1', keyframe: true }] }, { streams: [{ mid: '1', min_delay: 5, max_delay: 3 }] }, { min_delay: 0, max_delay: 0 },
        { min_delay: -1 }, { descriptions: [] }, { descriptions: [{ mid: '9', description: 'x' }] }, { record: false }, { filename: 'x' }, { update: true }, { restart: true }, { audiocodec: 'pcma' }, { videocodec: 'theora' },
        { audio_level_average: 30, audio_active_packets: 50 }, { secret: 'x' }])
        await a.ask({ request: 'configure', ...body }, undefined, `configure ${JSON.stringify(body)}`);
      await a.ask({ request: 'configure', descriptions: [{ mid: '0', description: 'mike' }] });
      await b.hears('publishers');
    },
  },
  {
    name: 'descriptions of the client that are not offers',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(2011, {}, a);
      await a.ask(join(2011));
      await a.ask({ request: 'publish' });
      await a.ask({ request: 'publish' }, { type: 'offer', sdp: 'v=0\r\n' });
      await a.ask({ request: 'publish' }, { type: 'nothing', sdp: 'v=0\r\n' });
    },
  },
  {
    name: 'an answer on a publisher\'s handle',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(2012, {}, a);
      await a.ask(join(2012));
      await a.newPeer();
      await a.ask({ request: 'publish' }, { ...a.peer.offer(), type: 'answer' });
    },
  },
  {
    name: 'two publishers see each other',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c');
      await t.room(2013, {}, a);
      await a.ask(join(2013, { display: 'Al' }));
      await b.ask(join(2013));
      await a.publish();
      await b.hears('publishers');
      await b.publish({}, { media: [audio] });
      await a.hears('publishers');
      await c.ask(join(2013));
      await a.ask({ request: 'leave' });
      await b.hears('leaving');
      await b.ask({ request: 'unpublish' });
      await c.hears('unpublished');
    },
  },
  {
    name: 'an ICE restart by the client',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(2014, {}, a);
      await a.ask(join(2014));
      await a.publish();
      a.peer.ufrag = 'restarted123';
      a.peer.pwd = 'restartedrestartedrestart';
      await a.renegotiate();
    },
  },
];
