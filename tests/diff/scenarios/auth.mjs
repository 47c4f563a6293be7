// Who may ask: the API secret, signed tokens, a room's signed tokens (janus-api.md 7, videoroom.md 3).

import { createHmac } from 'node:crypto';

import { ECHOTEST, VIDEOROOM } from '../lib/stage.mjs';

const KEY = 'the key that signs';
const sign = (payload, key = KEY) => `${payload}:${createHmac('sha1', key).update(payload).digest('base64')}`;
const LATER = 4102444800;                  /* 2100 */
const good = sign(`${LATER},janus,${ECHOTEST},${VIDEOROOM}`);

const TOKENS = {
  good, expired: sign(`1,janus,${ECHOTEST}`), 'without plugins': sign(`${LATER},janus`), 'of another realm': sign(`${LATER},sip,${ECHOTEST}`), 'signed with another key': sign(`${LATER},janus,${ECHOTEST}`, 'x'),
  'without a signature': `${LATER},janus,${ECHOTEST}`, 'with nothing before the colon': sign(''), 'with two colons': `${good}:x`, empty: '', 'a number': 5, null: null, 'cut short': good.slice(0, -1), 'padded': `${good} `,
  'negative': sign(`-1,janus,${ECHOTEST}`),
};

export default [
  {
    name: 'an API secret',
    server: { core: { general: { api_secret: 'open' } } },
    steps: async t => {
      const c = await t.client('c');
      for (const apisecret of [undefined, '', 'x', 'OPEN', 'open ', 5, null, true, ['open'], { a: 'open' }])
        await c.api({ janus: 'create', apisecret }, `create with ${JSON.stringify(apisecret)}`);
      await c.api({ janus: 'create', token: 'open' });
      await c.api({ janus: 'ping' });
      await c.api({ janus: 'nothing' });
      const id = await c.session({ apisecret: 'open' });
      for (const janus of ['keepalive', 'attach', 'claim', 'destroy', 'nothing', 'message'])
        for (const session_id of [id, 5])
          for (const apisecret of [undefined, 'x'])
            await c.api({ janus, session_id, apisecret, plugin: ECHOTEST }, `${janus} of ${session_id === id ? 'its' : 'no'} session with ${apisecret}`);
      await c.api({ janus: 'keepalive', session_id: id, apisecret: 'open' });
      await c.api({ janus: 'keepalive', session_id: 5, apisecret: 'open' });
    },
  },
  {
    name: 'signed tokens',
    server: { core: { general: { token_auth: true, token_auth_secret: KEY } } },
    steps: async t => {
      const c = await t.client('c');
      const id = await c.session({ token: good });
      for (const [name, token] of Object.entries(TOKENS)) {
        await c.api({ janus: 'create', token }, `create with a token ${name}`);
        await c.api({ janus: 'keepalive', session_id: id, token }, `keepalive with a token ${name}`);
        for (const plugin of [ECHOTEST, VIDEOROOM, 'janus.plugin.nothing'])
          await c.api({ janus: 'attach', session_id: id, plugin, token }, `attach to ${plugin} with a token ${name}`);
      }
      await c.api({ janus: 'create' });
    },
  },
  {
    name: 'signed tokens for a room',
    server: { core: { general: { token_auth: true, token_auth_secret: KEY } }, rooms: { 'room-5': { signed_tokens: true, pin: 'p' }, 'room-6': {} } },
    steps: async t => {
      const c = await t.client('c');
      const session_id = await c.session({ token: good });
      const ask = async (label, body) => {
        const { data } = await c.api({ janus: 'attach', session_id, plugin: VIDEOROOM, token: good }, 'attach');
        await c.api({ janus: 'message', session_id, handle_id: data.id, token: good, body: { request: 'join', ptype: 'publisher', ...body } }, label);
        await c.api({ janus: 'detach', session_id, handle_id: data.id, token: good }, 'detach');
      };
      for (const [name, token] of [['good', sign(`${LATER},${VIDEOROOM},room=5`)], ['for another room', sign(`${LATER},${VIDEOROOM},room=6`)], ['expired', sign(`1,${VIDEOROOM},room=5`)], ['for the core', sign(`${LATER},janus,room=5`)],
        ['without a room', sign(`${LATER},${VIDEOROOM}`)], ['of another key', sign(`${LATER},${VIDEOROOM},room=5`, 'x')], ['empty', ''], ['none', undefined], ['a number', 5]]) {
        await ask(`join with a token: ${name}`, { room: 5, pin: 'p', token });
        await ask(`join with a token: ${name}, and a wrong pin`, { room: 5, pin: 'x', token });
        await ask(`subscribe with a token: ${name}`, { room: 5, ptype: 'subscriber', pin: 'p', token, streams: [{ feed: 5 }] });
        await ask(`join a room without tokens: ${name}`, { room: 6, token });
      }
    },
  },
];
