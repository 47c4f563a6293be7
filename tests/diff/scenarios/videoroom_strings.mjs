// VideoRoom with string ids (videoroom.md 0, 2.1).

const server = { videoroom: { string_ids: true }, rooms: { 'room-lobby': { description: 'the lobby', publishers: 10 } } };
const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });

export default [
  {
    name: 'rooms',
    server,
    steps: async t => {
      const a = await t.attach('a');
      for (const room of ['one', 5, '', null, 'one', 'Ähm', 'with blanks', '5', undefined])
        await a.ask({ request: 'create', room }, undefined, `create ${JSON.stringify(room)}`);
      for (const room of ['one', 5, 'ONE', '5', 'Ähm', 'with blanks'])
        for (const request of ['exists', 'listparticipants', 'edit', 'destroy', 'destroy'])
          await a.ask({ request, room }, undefined, `${request} ${JSON.stringify(room)}`);
      await a.ask({ request: 'list' });
    },
  },
  {
    name: 'people',
    server,
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c'), d = await t.attach('d');
      for (const id of [5, null, true])
        await a.ask(join('lobby', { id }), undefined, `join with id ${JSON.stringify(id)}`);
      await a.ask(join('lobby', { id: 'al', display: 'Al' }));
      await b.ask(join('lobby', { id: 'al' }));
      await b.ask(join('lobby'));
      await a.publish();
      await b.hears('publishers');
      await c.subscribe('lobby', [{ feed: 5 }]);
      await c.subscribe('lobby', [{ feed: 'bob' }]);
      await c.watch('lobby', [{ feed: 'al' }]);
      await d.subscribe('lobby', [{ feed: 'al' }], { use_msid: true });
      await b.ask({ request: 'moderate', room: 'lobby', id: 'al', mid: '1', mute: true });
      await b.ask({ request: 'listparticipants', room: 'lobby' });
      await b.ask({ request: 'kick', room: 'lobby', id: 5 });
      await b.ask({ request: 'kick', room: 'lobby', id: 'bob' });
      await b.ask({ request: 'kick', room: 'lobby', id: 'al' });
      await a.hears('leaving');
    },
  },
  ...[['kick', { id: 'x' }], ['moderate', { id: 'x', mid: '0', mute: true }]].map(([request, body]) => ({
    name: `${request} without a room`,
    server,
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request, ...body });
      await a.ask({ request, room: 5, ...body }, undefined, `${request} with a number`);
    },
  })),
];
