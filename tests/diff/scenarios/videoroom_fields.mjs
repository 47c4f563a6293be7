// Every field of every request of VideoRoom, with every wrong type and with numbers that no field can hold, on a handle in the role
// that the request needs. The table is the one of tests/api: ../../api/lib/fields.mjs.

import { NUMBERS_BEYOND, ROOM_REQUESTS, wrongFor } from '../../api/lib/fields.mjs';

/* Fields that Debian's version does not know: nothing to compare. */
const LATER = new Set(['svc', 'threads', 'spatial_layer', 'temporal_layer', 'dummy_e2ee', 'metadata']);
const JOINS = ['join', 'joinandconfigure'];

async function inRole(t, role, name) {
  const handle = await t.attach(name);
  if (role === 'publisher')
    await handle.ask({ request: 'join', room: 77, ptype: 'publisher' }, undefined, 'in role');
  if (role === 'subscriber')
    await handle.subscribe(77, [{ feed: 5 }]);
  return handle;
}

/* What the field may hold: numbers on the edge and beyond, which take some requests somewhere, so each has a handle for itself. */
const numbers = type => type === 'posint' || type === 'int' ? NUMBERS_BEYOND.filter(n => !['@0.1', '@-0.0'].includes(n)) : [];

/* A layer above 2 there: a scenario of its own. */
const crashes = ({ body }, field) => ['subscribe', 'update'].includes(body.request) && ['substream', 'temporal'].includes(field);

function scenario(request) {
  const { role, body, needs = [] } = request;
  const fields = Object.entries(request.fields).filter(([field]) => !LATER.has(field));
  const build = (field, value) => request.in === undefined ? { ...body, [field]: value } : { ...body, [request.in]: [{ ...request.entry, [field]: value }] };
  const where = `${body.request}${request.in ? ` ${request.in}[]` : ''}${body.ptype ? ` as ${body.ptype}` : ''}${body.room === 78 ? ' of a guarded room' : ''}`;
  return {
    name: `${where}, on a handle that is ${role}`,
    server: { rooms: { 'room-76': { publishers: 100 }, 'room-77': { publishers: 100 }, 'room-78': { secret: 's', pin: 'p' } } },
    steps: async t => {
      if (role === 'subscriber') {
        const p = await t.attach('p');
        await p.ask({ request: 'join', room: 77, ptype: 'publisher', id: 5 });
        await p.publish();
      }
      let handle = await inRole(t, role, 'a');
      const ask = async (label, sent) => {
        const data = await handle.ask(sent, undefined, label);
        if (data.error_code === undefined && JOINS.includes(body.request)) {
          await handle.detach();
          handle = await inRole(t, role, 'a');
        }
        if (body.request === 'create' && / = @/.test(label))
          await handle.ask({ request: 'destroy', room: data.room ?? 1, ...(sent.secret !== undefined && { secret: sent.secret }) }, undefined, 'destroyed again');
      };
      for (const [field, type] of fields) {
        for (const [kind, value] of wrongFor(type))
          await ask(`${field} = ${kind}`, build(field, value));
        for (const value of crashes(request, field) ? [] : numbers(type))
          await ask(`${field} = ${value}`, build(field, value));
      }
      for (const field of needs)
        await ask(`without ${field}`, build(field, undefined));
      if (request.in !== undefined)
        for (const entries of [[null], [5], ['x'], [[]], [true], [null, {}]])
          await ask(JSON.stringify(entries), { ...body, [request.in]: entries });
    },
  };
}

const layers = ['subscribe', 'update'].flatMap(request => ['substream', 'temporal'].map(layer => ({
  name: `${request} to a ${layer} above 2`,
  steps: async t => {
    const p = await t.attach('p'), a = await t.attach('a');
    await t.room(79, {}, p);
    await p.ask({ request: 'join', room: 79, ptype: 'publisher', id: 5 });
    await p.publish();
    await a.subscribe(79, [{ feed: 5 }]);
    await a.ask({ request, [request === 'update' ? 'subscribe' : 'streams']: [{ feed: 5, mid: '1', [layer]: 3 }] });
  },
})));

export default [...ROOM_REQUESTS.filter(r => !(r.body.request === 'destroy' && r.body.room === 76)).map(scenario), ...layers];
