// The dummy publisher of a room: listed, subscribed to, replaced by a real one (videoroom.md 14.8).

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });

const found = (data, list) => data[list]?.find(p => p.dummy)?.id;

export default [
  {
    name: 'listed, announced, subscribed to',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), s = await t.attach('s');
      await t.room(7001, { dummy_publisher: true, publishers: 1 }, a);
      const id = found(await a.ask({ request: 'listparticipants', room: 7001 }), 'participants');
      t.names.set(id, 'the dummy');
      await a.ask({ request: 'list' });
      await a.ask(join(7001));
      await a.ask({ request: 'moderate', room: 7001, id, mid: '0', mute: true });
      await b.ask(join(7001));
      await b.publish();
      await a.hears('publishers');
      await s.watch(7001, [{ feed: id }]);
    },
  },
  {
    name: 'not to be kicked',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(7003, { dummy_publisher: true }, a);
      const id = found(await a.ask({ request: 'listparticipants', room: 7003 }), 'participants');
      t.names.set(id, 'the dummy');
      await a.ask({ request: 'kick', room: 7003, id });
    },
  },
  ...[['an Opus and an H.264', [{ codec: 'opus', fmtp: 'useinbandfec=1;stereo=1' }, { codec: 'h264', fmtp: 'profile-level-id=42e01f' }]], ['an unknown codec', [{ codec: 'mp3' }, { codec: 'vp8' }]], ['nothing', []], ['nonsense', [5, null, {}, { codec: 5 }]]].map(([name, dummy_streams]) => ({
    name: `of ${name}`,
    steps: async t => {
      const a = await t.attach('a'), s = await t.attach('s');
      await t.room(7002, { dummy_publisher: true, dummy_streams }, a);
      const id = found(await a.ask({ request: 'listparticipants', room: 7002 }), 'participants');
      t.names.set(id, 'the dummy');
      await a.ask(join(7002));
      await s.subscribe(7002, [{ feed: id }]);
    },
  })),
];
