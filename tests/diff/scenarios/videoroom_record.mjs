// Recording in VideoRoom, as far as it is asked for and answered, and rooms that are kept (videoroom.md 2.4, 5, 15).

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });

export default [
  {
    name: 'enable_recording: on, off, again, wrong',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(5001, { rec_dir: '/tmp/diff-recordings' }, a);
      await a.ask(join(5001));
      await a.publish();
      for (const body of [{ record: true }, { record: true }, { record: false }, {}, { record: 5 }, { record: null }, { record: true, room: undefined }, { record: true, room: 9 }, { record: true, room: 'x' }])
        await a.ask({ request: 'enable_recording', room: 5001, ...body }, undefined, JSON.stringify(body));
    },
  },
  {
    name: 'enable_recording of a guarded room',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(5002, { secret: 's' }, a);
      for (const secret of [undefined, 'x', 5, 's'])
        await a.ask({ request: 'enable_recording', room: 5002, record: false, secret }, undefined, `with ${secret}`);
    },
  },
  {
    name: 'record and filename of a publisher, with and without the lock',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(5003, { secret: 's', lock_record: true, rec_dir: '/tmp/diff-recordings' }, a);
      await a.ask(join(5003));
      await a.publish();
      for (const body of [{ record: true }, { record: true, secret: 'x' }, { record: true, secret: 's', filename: 'one' }, { record: false, secret: 's' }, { filename: 'two' }])
        await a.ask({ request: 'configure', ...body }, undefined, JSON.stringify(body));
    },
  },
  {
    name: 'permanent: create, edit and destroy',
    server: { rooms: { 'room-1': { description: 'one' } } },
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'create', room: 5004, permanent: true, description: 'kept', pin: 'p' });
      await a.ask({ request: 'edit', room: 5004, permanent: true, new_description: 'new' });
      await a.ask({ request: 'edit', room: 1, permanent: true, new_bitrate: 128000 });
      await a.ask({ request: 'list' });
      await a.ask({ request: 'destroy', room: 5004, permanent: true });
    },
  },
];
