// VideoRoom: joining, leaving, kicking, moderating, and what everybody else hears (videoroom.md 1, 5.7-5.9, 9.1, 9.4, 11, 19).

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });
const ASYNC = ['join', 'joinandconfigure', 'configure', 'publish', 'unpublish', 'start', 'pause', 'switch', 'subscribe', 'unsubscribe', 'update', 'leave'];

export default [
  {
    name: 'join: as nobody, with a name, with an id, twice, taken',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c');
      await t.room(1001, {}, a);
      await a.ask(join(1001));
      await b.ask(join(1001, { display: 'Bob', id: 77 }));
      await c.ask(join(1001, { id: 77 }));
      await c.ask(join(1001, { id: 0, display: '' }));
      await c.ask(join(1001));
      await a.ask({ request: 'listparticipants', room: 1001 });
      await a.ask({ request: 'list' });
    },
  },
  {
    name: 'join: what is wrong, in which order it is noticed',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(1002, { pin: 'p' }, a);
      for (const body of [{}, { room: 1002 }, { room: 9 }, { room: 9, ptype: 'publisher' }, { room: 1002, ptype: 'publisher' }, { room: 1002, ptype: 'nothing' }, { room: 1002, ptype: 'nothing', pin: 'p' }, { room: 1002, ptype: 'publisher', pin: 'x' },
        { room: 1002, ptype: 'publisher', pin: 5 }, { room: 1002, ptype: '', pin: 'p' }, { room: 1002, ptype: 'subscriber', pin: 'p' }, { room: 1002, ptype: 'subscriber' }, { room: 1002, ptype: 'subscriber', pin: 'p', streams: [] },
        { room: 1002, ptype: 'subscriber', pin: 'p', feed: 5 }, { room: 1002, ptype: 'subscriber', pin: 'p', streams: [{ feed: 5 }] }, { room: 1002, ptype: 'listener', pin: 'p' }, { room: 1002, ptype: 'publisher', pin: 'p', id: 'x' },
        { room: 1002, ptype: 'publisher', pin: 'p', descriptions: [{}] }, { room: 1002, ptype: 'publisher', pin: 'p', descriptions: [{ mid: '0', description: 'x' }] }])
        await a.ask({ request: 'join', ...body }, undefined, `join ${JSON.stringify(body)}`);
      await a.ask({ request: 'join', room: 1002, ptype: 'PUBLISHER', pin: 'p' });
    },
  },
  ...['none', 'publisher', 'subscriber'].map(role => ({
    name: `every verb on a handle that is ${role}`,
    steps: async t => {
      const p = await t.attach('p');
      await t.room(1003, {}, p);
      const { id } = await p.ask(join(1003, { id: 5 }));
      if (role === 'subscriber')
        await p.publish();
      for (const request of ASYNC) {
        const a = await t.attach(`a ${request}`);
        if (role === 'publisher')
          await a.ask(join(1003), undefined, 'in role');
        if (role === 'subscriber')
          await a.subscribe(1003, [{ feed: id }]);
        await a.ask({ request });
        if (role !== 'none' || !request.startsWith('join'))
          await a.ask({ request, room: 1003, ptype: 'publisher', streams: [] }, undefined, `${request} with fields`);
        await a.detach();
      }
    },
  })),
  {
    name: 'notify_joining: the others hear it, and attendees are told',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c');
      await t.room(1004, { notify_joining: true }, a);
      await a.ask(join(1004, { display: 'Al' }));
      await b.ask(join(1004, { display: 'Bob' }));
      await a.hears('joining');
      await c.ask(join(1004));
      await a.hears('joining');
      await b.hears('joining');
    },
  },
  {
    name: 'the allowed list keeps publishers out, not subscribers',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(1005, { allowed: ['good'] }, a);
      for (const token of [undefined, 'bad', '', 5, null])
        await a.ask(join(1005, { token }), undefined, `join with ${JSON.stringify(token)}`);
      await a.ask({ request: 'join', room: 1005, ptype: 'subscriber', streams: [{ feed: 5 }] });
      await a.ask(join(1005, { token: 'good' }));
      const b = await t.attach('b');
      await b.ask({ request: 'allowed', room: 1005, action: 'disable' });
      await b.ask(join(1005));
    },
  },
  {
    name: 'leave: the others hear it, the handle is of no more use',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(1006, {}, a);
      await a.ask(join(1006, { display: 'Al' }));
      await b.ask(join(1006));
      await a.ask({ request: 'leave' });
      await b.hears('leaving');
      for (const request of ASYNC)
        await a.ask({ request, room: 1006, ptype: 'publisher' }, undefined, `${request} after leaving`);
      await a.ask({ request: 'listparticipants', room: 1006 });
    },
  },
  ...['a publisher', 'somebody who only joined'].flatMap(who => ['leave', 'detach', 'hangup', 'destroy the session', 'vanish', 'unpublish', 'bye', 'kicked', 'room destroyed'].filter(way => who === 'a publisher' || !['unpublish', 'bye'].includes(way)).map(way => ({
    name: `${who} goes: ${way}`,
    steps: async t => {
      const b = await t.attach('b');
      await t.room(1007, {}, b);
      await b.ask(join(1007));
      const c = await t.client('other client');
      const a = await c.attach('a');
      const { id } = await a.ask(join(1007, { display: 'Al' }));
      if (who === 'a publisher') {
        await a.publish();
        await b.hears('publishers');
      }
      if (way === 'leave' || way === 'unpublish')
        await a.ask({ request: way });
      else if (way === 'detach')
        await a.detach();
      else if (way === 'hangup')
        await a.hangup();
      else if (way === 'destroy the session')
        await c.request({ janus: 'destroy' });
      else if (way === 'vanish')
        await c.vanish();
      else if (way === 'bye')
        a.peer.bye();
      else if (way === 'kicked')
        await b.ask({ request: 'kick', room: 1007, id });
      else
        await b.ask({ request: 'destroy', room: 1007 });
      await t.quiet(400);
      await b.ask({ request: 'listparticipants', room: 1007 });
      if (!['detach', 'destroy the session', 'vanish'].includes(way)) {
        await a.ask({ request: 'configure' }, undefined, 'configure afterwards');
        await a.ask({ request: 'unpublish' }, undefined, 'unpublish afterwards');
        await a.ask({ request: 'leave' }, undefined, 'leave afterwards');
      }
    },
  }))),
  {
    name: 'kick: nobody, oneself, twice',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(1008, {}, a);
      const { id } = await a.ask(join(1008));
      const { id: other } = await b.ask(join(1008, { display: 'Bob' }));
      await a.ask({ request: 'kick', room: 1008, id: 5 });
      await a.ask({ request: 'kick', room: 9, id });
      await a.ask({ request: 'kick', id });
      await a.ask({ request: 'kick', room: 'x', id });
      await a.ask({ request: 'kick', room: 1008 });
      await a.ask({ request: 'kick', room: 1008, id: other });
      await a.ask({ request: 'kick', room: 1008, id: other });
      await b.ask(join(1008));
      await a.ask({ request: 'kick', room: 1008, id });
    },
  },
  {
    name: 'moderate: muted and unmuted, again, what is not there',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b');
      await t.room(1009, {}, a);
      const { id } = await a.ask(join(1009));
      await a.publish();
      await b.ask(join(1009));
      for (const mute of [true, true, false, false])
        await b.ask({ request: 'moderate', room: 1009, id, mid: '1', mute }, undefined, `mute ${mute}`);
      await b.ask({ request: 'moderate', room: 1009, id, mid: '0', mute: true });
      await b.ask({ request: 'moderate', room: 1009, id, mid: '9', mute: true });
      await b.ask({ request: 'moderate', room: 1009, id, mid: '', mute: true });
      await b.ask({ request: 'moderate', room: 1009, id: 5, mid: '0', mute: true });
      await b.ask({ request: 'moderate', room: 9, id, mid: '0', mute: true });
      await b.ask({ request: 'moderate', id, mid: '0', mute: true });
      await b.ask({ request: 'moderate', room: 1009, id, mute: true });
      await b.ask({ request: 'moderate', room: 1009, id, mid: '0' });
      const c = await t.attach('c');
      await c.ask(join(1009));
      await a.renegotiate();
      await c.hears('publishers');
    },
  },
  {
    name: 'a name that changes, and one that was not there',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c');
      await t.room(1010, {}, a);
      await a.ask(join(1010, { display: 'Al' }));
      await b.ask(join(1010));
      await c.ask(join(1010));
      await a.ask({ request: 'configure', display: 'Alan' });
      await a.ask({ request: 'configure', display: '' });
      await b.ask({ request: 'configure', display: 'Bob' });
      await b.ask({ request: 'configure', display: 'Bobby' });
      await a.ask({ request: 'listparticipants', room: 1010 });
    },
  },
  {
    name: 'a dozen come and go',
    steps: async t => {
      const b = await t.attach('b');
      await t.room(1011, {}, b);
      await b.ask(join(1011));
      for (let i = 1; i <= 12; i++) {
        const a = await t.attach(`a${i}`);
        await a.ask(join(1011, { id: i, display: `n${i}` }));
        if (i % 3 === 0)
          await a.ask({ request: 'leave' });
        else if (i % 3 === 1)
          await b.ask({ request: 'kick', room: 1011, id: i });
      }
      await b.ask({ request: 'listparticipants', room: 1011 });
    },
  },
];
