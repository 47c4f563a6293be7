// TextRoom over the Janus API: rooms, who may do what with them, setup and its offers (textroom.md). What is said on data channels is
// in tests/browser and tests/unit: the peer of these tests has none.

import { wrongFor, NUMBERS_BEYOND } from '../../api/lib/fields.mjs';
import { TEXTROOM } from '../lib/stage.mjs';

const FIELDS = {
  list: {}, exists: { room: 'posint' }, listparticipants: { room: 'posint' },
  create: { description: 'string', secret: 'string', pin: 'string', post: 'string', is_private: 'bool', history: 'posint', allowed: 'array', permanent: 'bool', room: 'posint' },
  edit: { secret: 'string', new_description: 'string', new_secret: 'string', new_pin: 'string', new_post: 'string', new_is_private: 'bool', permanent: 'bool', room: 'posint' },
  destroy: { secret: 'string', permanent: 'bool', room: 'posint' },
  allowed: { action: 'string', allowed: 'array', room: 'posint' },
  kick: { username: 'string', room: 'posint' },
  announcement: { text: 'string', room: 'posint' },
};
const GOOD = { room: 7, action: 'disable', username: 'u', text: 'x' };

/* The room of the create that is tried goes again, so that the next scenario finds none. */
const destroyed = (a, room, secret) => a.ask({ request: 'destroy', room, ...(secret !== undefined && { secret }) }, undefined, 'destroyed again');

export default [
  ...Object.entries(FIELDS).map(([request, fields]) => ({
    name: `${request}: every field of every kind`,
    server: { textrooms: { 'room-7': { description: 'seven' } } },
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      const base = Object.fromEntries(Object.keys(fields).filter(f => f in GOOD).map(f => [f, GOOD[f]]));
      for (const [field, type] of Object.entries(fields)) {
        if (request === 'destroy')
          await a.ask({ request: 'create', room: 7 }, undefined, `the room for ${field}`);
        for (const [kind, value] of wrongFor(type))
          await a.ask({ request, ...base, [field]: value }, undefined, `${field} = ${kind}`);
        if (type === 'posint' && request !== 'create')
          for (const value of NUMBERS_BEYOND)
            await a.ask({ request, ...base, [field]: value }, undefined, `${field} = ${value}`);
        await a.ask({ request, ...base, room: request === 'create' ? 7 : base.room, [field]: undefined }, undefined, `without ${field}`);
      }
    },
  })),
  {
    name: 'verbs that are none, and those of the data channel',
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      for (const request of ['nothing', '', 'LIST', 'join', 'leave', 'message', 5, null, true, [], {}, undefined])
        await a.ask({ request, room: 7, username: 'u', text: 'x' }, undefined, `request ${JSON.stringify(request)}`);
    },
  },
  {
    name: 'create with every option, and how it is listed',
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      let room = 100;
      for (const body of [{}, { description: '' }, { description: 'Ähm \u0001"' }, { is_private: true }, { secret: 's' }, { secret: '' }, { pin: 'p' }, { pin: '' }, { history: 0 }, { history: 5 }, { history: 65535 }, { allowed: [] },
        { allowed: ['a'] }, { allowed: [5] }, { allowed: ['a', null] }, { permanent: false }, { admin_key: 'x' }]) {
        room++;
        await a.ask({ request: 'create', room, ...body }, undefined, `create ${JSON.stringify(body)}`);
        await a.ask({ request: 'exists', room });
        await a.ask({ request: 'list' }, undefined, `list after ${JSON.stringify(body)}`);
        await destroyed(a, room, body.secret);
      }
      await a.ask({ request: 'create', room: 11 });
      await a.ask({ request: 'create', room: 11 });
      await destroyed(a, 11);
      await destroyed(a, 11);
    },
  },
  {
    name: 'edit, kick, allowed, announcement with a secret: missing, wrong, right',
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      await a.ask({ request: 'create', room: 12, secret: 's' });
      for (const secret of [undefined, 'x', '', 5, null, 's'])
        for (const body of [{ request: 'edit', new_description: 'new' }, { request: 'allowed', action: 'disable' }, { request: 'allowed', action: 'nothing' }, { request: 'kick', username: 'u' }, { request: 'announcement', text: 'x' },
          { request: 'listparticipants' }])
          await a.ask({ ...body, room: 12, secret }, undefined, `${body.request} with ${JSON.stringify(secret)}`);
      await a.ask({ request: 'list' });
      await destroyed(a, 12, 's');
    },
  },
  {
    name: 'allowed: every action',
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      await a.ask({ request: 'create', room: 13 });
      for (const body of [{ action: 'enable' }, { action: 'add', allowed: ['a', 'b'] }, { action: 'add', allowed: ['a', 'c'] }, { action: 'remove', allowed: ['b', 'z'] }, { action: 'disable' }, { action: 'ENABLE' }, { action: 'add' },
        { action: 'add', allowed: [] }, { action: 'add', allowed: [5] }, { action: 'nothing' }, {}, { action: 'enable', room: 14 }, { action: 'nothing', room: 14 }])
        await a.ask({ request: 'allowed', room: 13, ...body }, undefined, `allowed ${JSON.stringify(body)}`);
      await destroyed(a, 13);
    },
  },
  {
    name: 'admin_key for create and list',
    server: { textroom: { admin_key: 'key' } },
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      for (const admin_key of [undefined, 'x', '', 5, null, 'key'])
        await a.ask({ request: 'create', room: 15, is_private: true, admin_key }, undefined, `create with ${JSON.stringify(admin_key)}`);
      for (const admin_key of [undefined, 'x', '', 5, null, 'key'])
        await a.ask({ request: 'list', admin_key }, undefined, `list with ${JSON.stringify(admin_key)}`);
      await destroyed(a, 15);
    },
  },
  {
    name: 'setup, restart and ack',
    steps: async t => {
      const a = await t.attach('a', TEXTROOM), b = await t.attach('b', TEXTROOM);
      await a.ask({ request: 'restart' });
      const offered = await a.ask({ request: 'setup' });
      await a.ask({ request: 'setup' });
      await a.answer(offered, { request: 'ack' });
      const again = await a.ask({ request: 'restart' });
      await a.answer(again, { request: 'ack' });
      await b.ask({ request: 'ack' });
      await a.hangup();
      await a.hears('hangup');
      await a.ask({ request: 'setup' }, undefined, 'setup after a hangup');
    },
  },
  {
    name: 'rooms of the file',
    server: { textrooms: { 'room-1': { description: 'one' }, 'room-2': { description: '', history: 5 }, 'room-3': { secret: 's', pin: 'p', is_private: true }, 'room-x': {}, 'room-0': {}, 'room-4': { history: 70000 } } },
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      await a.ask({ request: 'list' });
      for (const room of [1, 2, 3, 4])
        await a.ask({ request: 'exists', room }, undefined, `exists ${room}`);
    },
  },
  {
    name: 'string ids',
    server: { textroom: { string_ids: true } },
    steps: async t => {
      const a = await t.attach('a', TEXTROOM);
      for (const room of ['lobby', '', 5, 'lobby', 'Ähm', null, undefined])
        await a.ask({ request: 'create', room }, undefined, `create ${JSON.stringify(room)}`);
      for (const room of ['lobby', 'LOBBY', 5, 'Ähm']) {
        await a.ask({ request: 'exists', room }, undefined, `exists ${JSON.stringify(room)}`);
        await a.ask({ request: 'listparticipants', room }, undefined, `listparticipants ${JSON.stringify(room)}`);
        await a.ask({ request: 'destroy', room }, undefined, `destroy ${JSON.stringify(room)}`);
      }
    },
  },
];
