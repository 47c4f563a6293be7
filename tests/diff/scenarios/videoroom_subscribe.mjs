// VideoRoom's subscribers: every request they may send, offers, recycling of lines, what they are told when sources go
// (videoroom.md 10, 13.3, 19).

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });
const audio = { kind: 'audio' }, video = { kind: 'video' };

/* A room with a publisher for each list of lines: their ids are 1, 2, ... */
async function stage(t, room, publishers, options) {
  const made = await t.room(room, options);
  const handles = [];
  for (const [i, media] of publishers.entries()) {
    const p = await t.attach(`p${i + 1}`);
    await p.ask(join(made, { id: i + 1, display: `n${i + 1}` }));
    await p.publish({}, { media });
    handles.push(p);
  }
  return handles;
}

const both = [audio, video];
const simulcast = [audio, { ...video, simulcast: true }];

/* name, what is asked for on top of room and ptype; two publish: 1 audio and video, 2 two videos. */
const JOINS = [
  ['a whole feed', { streams: [{ feed: 1 }] }],
  ['one mid', { streams: [{ feed: 1, mid: '1' }] }],
  ['both feeds', { streams: [{ feed: 1 }, { feed: 2 }] }],
  ['in another order', { streams: [{ feed: 2, mid: '1' }, { feed: 1, mid: '0' }, { feed: 2, mid: '0' }] }],
  ['the same twice', { streams: [{ feed: 1, mid: '0' }, { feed: 1, mid: '0' }] }],
  ['crossrefid', { streams: [{ feed: 1, crossrefid: 'tile' }] }],
  ['use_msid', { streams: [{ feed: 1 }], use_msid: true }],
  ['use_msid of another kind', { streams: [{ feed: 1 }], use_msid: 'yes' }],
  ['layers', { streams: [{ feed: 1, mid: '1', substream: 1, temporal: 0 }] }],
  ['delays', { streams: [{ feed: 1, mid: '1', min_delay: 5, max_delay: 10 }] }],
  ['a fallback', { streams: [{ feed: 1, mid: '1', fallback: 500000 }] }],
  ['a feed that is not there', { streams: [{ feed: 9 }] }],
  ['one that is there and one that is not', { streams: [{ feed: 1 }, { feed: 9 }] }],
  ['a feed that does not publish', { streams: [{ feed: 3 }] }],
  ['a mid that is not there', { streams: [{ feed: 1, mid: '9' }] }],
  ['no streams', { streams: [] }],
  ['nothing', {}],
  ['send', { streams: [{ feed: 1, mid: '0', send: false }] }],
  ['autoupdate', { streams: [{ feed: 1 }], autoupdate: false }],
  ['a private id', { streams: [{ feed: 1 }], private_id: 5 }],
  ['legacy', { feed: 1 }],
  ['legacy, video alone', { feed: 1, offer_audio: false }],
  ['legacy, audio alone', { feed: 1, offer_video: false, offer_data: false }],
  ['legacy, nothing', { feed: 1, offer_audio: false, offer_video: false }],
  ['legacy, not there', { feed: 9 }],
  ['legacy and streams', { feed: 9, streams: [{ feed: 1, mid: '0' }] }],
  ['audio and video flags', { streams: [{ feed: 1 }], audio: false, video: false }],
];

export default [
  {
    name: 'join: every way to say what one wants',
    steps: async t => {
      await stage(t, 3001, [both, [video, { ...video, codecs: ['h264'] }]]);
      await t.attach('idle').then(idle => idle.ask(join(3001, { id: 3 })));
      for (const [name, body] of JOINS) {
        const a = await t.attach(`a: ${name}`);
        await a.ask({ request: 'join', room: 3001, ptype: 'subscriber', ...body }, undefined, name);
        await a.detach();
      }
    },
  },
  {
    name: 'join of what a publisher has stopped or cannot send',
    steps: async t => {
      await stage(t, 3002, [[audio, { ...video, direction: 'recvonly' }, video]]);
      const a = await t.attach('a'), b = await t.attach('b');
      await a.subscribe(3002, [{ feed: 1 }]);
      await b.subscribe(3002, [{ feed: 1, mid: '1' }]);
    },
  },
  {
    name: 'join with an offer',
    steps: async t => {
      await stage(t, 3003, [both]);
      const a = await t.attach('a');
      await a.newPeer();
      await a.ask({ request: 'join', room: 3003, ptype: 'subscriber', streams: [{ feed: 1 }] }, a.peer.offer());
    },
  },
  {
    name: 'start, pause, start: with a PeerConnection',
    steps: async t => {
      await stage(t, 3004, [both]);
      const a = await t.attach('a');
      await a.watch(3004, [{ feed: 1 }]);
      await a.ask({ request: 'pause' });
      await a.ask({ request: 'pause' });
      await a.ask({ request: 'start' });
      await a.ask({ request: 'start', room: 3004 });
    },
  },
  {
    name: 'requests before the answer',
    steps: async t => {
      await stage(t, 3005, [both, both]);
      const a = await t.attach('a');
      const attached = await a.subscribe(3005, [{ feed: 1 }]);
      await a.ask({ request: 'start' });
      await a.ask({ request: 'pause' });
      await a.ask({ request: 'configure', streams: [{ mid: '0', send: false }] });
      await a.ask({ request: 'subscribe', streams: [{ feed: 2 }] });
      await a.ask({ request: 'unsubscribe', streams: [{ feed: 1, mid: '0' }] });
      await a.ask({ request: 'switch', streams: [{ feed: 2, mid: '1', sub_mid: '1' }] });
      await a.answer(attached);
      const updated = await a.hears('updated');
      await a.answer(updated);
    },
  },
  {
    name: 'subscribe and unsubscribe: lines come, go, and are used again',
    steps: async t => {
      await stage(t, 3006, [both, both, [video, { ...video, codecs: ['h264'] }]]);
      const a = await t.attach('a');
      await a.watch(3006, [{ feed: 1 }]);
      for (const body of [{ request: 'subscribe', streams: [{ feed: 2 }] }, { request: 'unsubscribe', streams: [{ feed: 1 }] }, { request: 'subscribe', streams: [{ feed: 3, mid: '0', crossrefid: 'x' }] },
        { request: 'subscribe', streams: [{ feed: 3, mid: '1' }] }, { request: 'unsubscribe', streams: [{ sub_mid: '1' }] }, { request: 'unsubscribe', streams: [{ feed: 2, mid: '0' }] },
        { request: 'update', subscribe: [{ feed: 1, mid: '0' }], unsubscribe: [{ feed: 3 }] }, { request: 'update', unsubscribe: [{ feed: 2 }], subscribe: [{ feed: 2 }] }, { request: 'subscribe', streams: [{ feed: 1, mid: '0' }] }])
        await a.answer(await a.ask(body, undefined, JSON.stringify(body)));
    },
  },
  {
    name: 'subscribe, unsubscribe, update: what changes nothing, and what is wrong',
    steps: async t => {
      await stage(t, 3007, [both]);
      const a = await t.attach('a');
      await a.watch(3007, [{ feed: 1 }]);
      for (const body of [{ request: 'subscribe' }, { request: 'subscribe', streams: [] }, { request: 'subscribe', streams: [{ feed: 9 }] }, { request: 'subscribe', streams: [{ feed: 1, mid: '9' }] }, { request: 'subscribe', streams: [{}] },
        { request: 'unsubscribe' }, { request: 'unsubscribe', streams: [] }, { request: 'unsubscribe', streams: [{}] }, { request: 'unsubscribe', streams: [{ feed: 9 }] }, { request: 'unsubscribe', streams: [{ sub_mid: '9' }] },
        { request: 'unsubscribe', streams: [{ feed: 1, mid: '9' }] }, { request: 'unsubscribe', streams: [{ mid: '0' }] }, { request: 'update' }, { request: 'update', subscribe: [] }, { request: 'update', unsubscribe: [] },
        { request: 'update', subscribe: [], unsubscribe: [] }, { request: 'update', subscribe: [{ feed: 9 }] }, { request: 'update', unsubscribe: [{ feed: 9 }] },
        { request: 'update', subscribe: [{ feed: 9 }], unsubscribe: [{ feed: 1 }] }, { request: 'update', subscribe: [{ feed: 1, mid: '0' }], unsubscribe: [{ sub_mid: 5 }] }])
        await a.ask(body, undefined, JSON.stringify(body));
    },
  },
  {
    name: 'changes before the answer come together in one offer',
    steps: async t => {
      await stage(t, 3008, [both, both, both]);
      const a = await t.attach('a');
      await a.watch(3008, [{ feed: 1 }]);
      const first = await a.ask({ request: 'subscribe', streams: [{ feed: 2 }] });
      await a.ask({ request: 'subscribe', streams: [{ feed: 3 }] });
      await a.ask({ request: 'update', subscribe: [{ feed: 1, mid: '0' }], unsubscribe: [{ feed: 2 }] });
      await a.ask({ request: 'unsubscribe', streams: [{ feed: 9 }] });
      await a.answer(first);
      await a.answer(await a.hears('updated'));
      await t.quiet(300);
    },
  },
  {
    name: 'switch',
    steps: async t => {
      await stage(t, 3009, [both, both, [{ ...video, codecs: ['h264'] }]]);
      const a = await t.attach('a');
      await a.watch(3009, [{ feed: 1 }]);
      for (const streams of [[{ feed: 2, mid: '1', sub_mid: '1' }], [{ feed: 2, mid: '1', sub_mid: '1' }], [{ feed: 1, mid: '0', sub_mid: '0' }, { feed: 1, mid: '1', sub_mid: '1' }], [{ feed: 2, mid: '0', sub_mid: '1' }],
        [{ feed: 3, mid: '0', sub_mid: '1' }], [{ feed: 2, mid: '1', sub_mid: '9' }], [{ feed: 9, mid: '1', sub_mid: '1' }], [{ feed: 2, mid: '9', sub_mid: '1' }], [{ feed: 2, mid: '1' }], [{ feed: 2, sub_mid: '1' }], [{ mid: '1', sub_mid: '1' }],
        [{ feed: 2, mid: '1', sub_mid: '1', substream: 1, temporal: 0 }], [{ feed: 1, mid: '1', sub_mid: '1', substream: 7, temporal: 7 }], []])
        await a.ask({ request: 'switch', streams }, undefined, JSON.stringify(streams));
      for (const feed of [undefined, 9, 2])
        await a.ask({ request: 'switch', feed }, undefined, `switch to feed ${feed}`);
    },
  },
  {
    name: 'switch on a line that has become inactive',
    steps: async t => {
      await stage(t, 3010, [both, both]);
      const a = await t.attach('a');
      await a.watch(3010, [{ feed: 1 }]);
      await a.answer(await a.ask({ request: 'unsubscribe', streams: [{ feed: 1, mid: '1' }] }));
      await a.ask({ request: 'switch', streams: [{ feed: 2, mid: '1', sub_mid: '1' }] });
    },
  },
  {
    name: 'configure: everything that can be set',
    steps: async t => {
      await stage(t, 3011, [both]);
      const a = await t.attach('a');
      await a.watch(3011, [{ feed: 1 }]);
      for (const body of [{}, { streams: [] }, { streams: [{ mid: '0', send: false }] }, { streams: [{ mid: '0', send: true }, { mid: '1', send: true }] }, { streams: [{ send: true }, { send: true }] }, { streams: [{ mid: '9' }] },
        { mid: '9', send: true }, { mid: '1', send: false }, { send: true }, { mid: '1', substream: 0 }, { mid: '1', substream: 2 }, { substream: 3 }, { temporal: 3 }, { mid: '1', temporal: 1 }, { fallback: 0 }, { mid: '1', fallback: 100000 },
        { audio: false }, { video: false, audio: true }, { min_delay: 5, max_delay: 10 }, { mid: '1', min_delay: -1 }, { mid: '0', min_delay: 5 }, { nothing: 5 }])
        await a.ask({ request: 'configure', ...body }, undefined, `configure ${JSON.stringify(body)}`);
    },
  },
  {
    name: 'configure of a source that simulcasts',
    steps: async t => {
      await stage(t, 3012, [simulcast]);
      const a = await t.attach('a');
      await a.watch(3012, [{ feed: 1 }]);
      for (const body of [{ mid: '1', substream: 0 }, { mid: '1', temporal: 0 }, { substream: 1, temporal: 1, fallback: 500000 }, { mid: '1', substream: 3 }, { mid: '1', temporal: 3 }])
        await a.ask({ request: 'configure', ...body }, undefined, `configure ${JSON.stringify(body)}`);
      await a.ask({ request: 'update', unsubscribe: [{ feed: 9 }], subscribe: [{ feed: 1, mid: '1', substream: 1, temporal: 2 }] });
    },
  },
  ...['restart', 'update'].map(flag => ({
    name: `configure with ${flag}: an offer, and another one before its answer`,
    steps: async t => {
      await stage(t, 3013, [both]);
      const a = await t.attach('a');
      await a.watch(3013, [{ feed: 1 }]);
      const first = await a.ask({ request: 'configure', [flag]: true });
      await a.ask({ request: 'configure', [flag]: true }, undefined, 'once more', 1000);
      await a.answer(first);
      await a.answer(await a.hears('updated'));
    },
  })),
  {
    name: 'answers where none belongs, offers, and broken ones',
    steps: async t => {
      await stage(t, 3014, [both]);
      const a = await t.attach('a');
      const attached = await a.watch(3014, [{ feed: 1 }]);
      await a.ask({ request: 'start' }, a.peer.answer(attached.jsep.sdp), 'start with the same answer again');
      await a.ask({ request: 'start' }, { type: 'answer', sdp: 'v=0\r\n' }, 'start with a broken answer');
    },
  },
  {
    name: 'an offer of a subscriber',
    steps: async t => {
      await stage(t, 3015, [both]);
      const a = await t.attach('a');
      await a.watch(3015, [{ feed: 1 }]);
      await a.ask({ request: 'configure' }, a.peer.offer({ version: 3 }));
    },
  },
  {
    name: 'leave: it is no subscriber any more, or still is',
    steps: async t => {
      await stage(t, 3016, [both]);
      const a = await t.attach('a');
      await a.watch(3016, [{ feed: 1 }]);
      await a.ask({ request: 'leave' });
      await a.hears('hangup');
      await t.quiet(300);
      for (const body of [{ request: 'leave' }, { request: 'start' }, { request: 'pause' }, { request: 'configure' }, { request: 'subscribe', streams: [{ feed: 1 }] }, { request: 'join', room: 3016, ptype: 'subscriber', streams: [{ feed: 1 }] }])
        await a.ask(body, undefined, `${body.request} afterwards`);
    },
  },
  ...['unpublish', 'leave', 'detach', 'hangup', 'bye', 'kick', 'destroy'].flatMap(way => [true, false].map(autoupdate => ({
    name: `its source goes by ${way}, ${autoupdate ? 'with' : 'without'} autoupdate`,
    steps: async t => {
      const [p] = await stage(t, 3017, [both, both]);
      const a = await t.attach('a');
      await a.watch(3017, [{ feed: 1 }, { feed: 2 }], { autoupdate });
      if (way === 'unpublish' || way === 'leave')
        await p.ask({ request: way });
      else if (way === 'bye')
        p.peer.bye();
      else if (way === 'kick')
        await t.attach('boss').then(boss => boss.ask({ request: 'kick', room: 3017, id: 1 }));
      else if (way === 'destroy')
        await t.attach('boss').then(boss => boss.ask({ request: 'destroy', room: 3017 }));
      else
        await p[way]();
      await t.quiet(500);
      for (const m of a.unheard.filter(m => m.jsep))
        await a.answer(m);
      await a.ask({ request: 'unsubscribe', streams: [{ feed: 9 }] }, undefined, 'what was skipped');
      await a.ask({ request: 'unsubscribe', streams: [{ feed: 2, mid: '0' }] }, undefined, 'a line more');
    },
  }))),
  {
    name: 'its source goes before the answer',
    steps: async t => {
      const [p] = await stage(t, 3018, [both, both]);
      const a = await t.attach('a');
      const attached = await a.subscribe(3018, [{ feed: 1 }, { feed: 2 }]);
      await p.ask({ request: 'unpublish' });
      await t.quiet(300);
      await a.answer(attached);
      await a.answer(await a.hears('updated'));
    },
  },
  {
    name: 'require_pvtid: without one, a wrong one, the right one; the owner is kicked',
    steps: async t => {
      await stage(t, 3019, [both], { require_pvtid: true });
      const o = await t.attach('o');
      const { private_id, id } = await o.ask(join(3019));
      for (const pvt of [undefined, 0, 5, private_id]) {
        const a = await t.attach(`a ${pvt === private_id ? 'right' : pvt}`);
        await a.subscribe(3019, [{ feed: 1 }], { private_id: pvt });
      }
      await o.ask({ request: 'kick', room: 3019, id });
    },
  },
  {
    name: 'end-to-end encrypted and plain feeds do not mix',
    steps: async t => {
      await stage(t, 3020, [both]);
      const p = await t.attach('q');
      await p.ask(join(3020, { id: 2 }));
      await p.publish({}, { e2ee: true });
      for (const [name, streams] of [['plain first', [{ feed: 1 }, { feed: 2 }]], ['encrypted first', [{ feed: 2 }, { feed: 1 }]], ['encrypted', [{ feed: 2 }]]]) {
        const a = await t.attach(name);
        await a.subscribe(3020, streams);
        await a.ask({ request: 'subscribe', streams: [{ feed: 1 }] });
        await a.ask({ request: 'switch', streams: [{ feed: 2, mid: '0', sub_mid: '0' }] });
      }
    },
  },
];
