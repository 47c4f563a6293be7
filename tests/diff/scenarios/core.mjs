// The Janus API itself: verbs, levels, missing and wrong fields, addresses that lead nowhere, layouts (janus-api.md 1-6).

import { ECHOTEST, VIDEOROOM } from '../lib/stage.mjs';

const VERBS = ['info', 'ping', 'create', 'claim', 'keepalive', 'attach', 'destroy', 'message', 'trickle', 'hangup', 'detach', 'nonsense', ''];
const JUNK = [null, 5, -1, 1.5, true, 'x', '', [], {}, '@9007199254740993', '@9223372036854775807', '@9223372036854775808', '@1e300', '@-0'];

export default [
  {
    name: 'ping and info without an address',
    steps: async t => {
      await t.api({ janus: 'ping' });
      await t.api({ janus: 'PING' });
      await t.api({ janus: 'ping', session_id: 0, handle_id: 0 });
      await t.api({ janus: 'ping', session_id: 77 });
      await t.api({ janus: 'info', session_id: 77 });
    },
  },
  {
    name: 'every verb at every level',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      const session_id = a.connection.sessionId;
      for (const janus of VERBS.filter(v => v !== 'info')) {
        await t.api({ janus }, `${janus} at the root`);
        await t.api({ janus, session_id: 12345678 }, `${janus} of no session`);
        await t.api({ janus, session_id, handle_id: 12345678 }, `${janus} of no handle`);
        await t.api({ janus, handle_id: a.id }, `${janus} of a handle of no session`);
        if (!['destroy', 'claim'].includes(janus))
          await t.api({ janus, session_id }, `${janus} of a session`);
        if (!['detach'].includes(janus))
          await t.api({ janus, session_id, handle_id: a.id }, `${janus} of a handle`);
      }
    },
  },
  {
    name: 'the header: missing, wrong, and twice',
    steps: async t => {
      await t.raw('{}');
      await t.raw('[]');
      await t.raw('{"janus":"ping"}');
      await t.raw('{"transaction":"x"}');
      for (const [key, rest] of [['transaction', '"janus":"ping"'], ['janus', '"transaction":"x"'], ['id', '"janus":"create","transaction":"x"'], ['id', '"janus":"ping","transaction":"x"']])
        for (const value of JUNK.filter(v => !(key === 'id' && v === 5)))
          await t.raw(`{${rest},"${key}":${String(JSON.stringify(value)).replace(/^"@(.*)"$/, '$1')}}`);
      await t.raw('{"janus":"ping","janus":"create","transaction":"x","transaction":"y"}');
    },
  },
  {
    name: 'texts that are no JSON',
    steps: async t => {
      for (const text of ['', ' ', '{', '}', '{"janus":"ping"', '{"janus":"ping","transaction":"x"', '{"janus":"ping","transaction":"x"}}', '{"janus":"ping","transaction":"x",}', '"x"', '5', 'null', 'true',
        "{'janus':'ping'}", '{"janus":"ping","transaction":"\\u0000"}', '{"janus":"ping","transaction":"\\ud800"}', '{"janus":01}', '{"a":1e999}', '{"a":123456789012345678901234567890}', '[[[[', '{"janus":"ping","transaction":"x"} x'])
        await t.raw(text);
    },
  },
  {
    name: 'several documents in one text',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await t.raw('{"janus":"ping","transaction":"1"}{"janus":"ping","transaction":"2"}');
      await a.request({ janus: 'keepalive' });
    },
  },
  {
    name: 'session_id and handle_id of every kind',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      const session_id = a.connection.sessionId;
      for (const value of JUNK) {
        await t.api({ janus: 'keepalive', session_id: value }, `session_id ${JSON.stringify(value)}`);
        await t.api({ janus: 'message', session_id: value, handle_id: a.id, body: {} }, `session_id ${JSON.stringify(value)} with a handle`);
        await t.api({ janus: 'message', session_id, handle_id: value, body: {} }, `handle_id ${JSON.stringify(value)}`);
      }
    },
  },
  {
    name: 'create with an id: taken, zero, and again when it is free',
    steps: async t => {
      await t.api({ janus: 'create', id: 4242 });
      await t.api({ janus: 'create', id: 4242 });
      await t.api({ janus: 'create', id: 4242, session_id: 4242 });
      await t.api({ janus: 'create', handle_id: 5 });
      await t.api({ janus: 'create', id: 0 });
      await t.api({ janus: 'keepalive', session_id: 4242 });
      await t.api({ janus: 'destroy', session_id: 4242 });
      await t.api({ janus: 'destroy', session_id: 4242 });
      await t.api({ janus: 'create', id: 4242 });
      await t.api({ janus: 'destroy', session_id: 4242 });
    },
  },
  {
    name: 'attach: plugins that are not there, fields of every kind',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      const session_id = a.connection.sessionId;
      for (const plugin of [...JUNK, 'janus.plugin.nothing', 'JANUS.PLUGIN.ECHOTEST', 'janus.plugin.echotest '])
        await t.api({ janus: 'attach', session_id, plugin }, `plugin ${JSON.stringify(plugin)}`);
      for (const opaque_id of JUNK)
        await t.api({ janus: 'attach', session_id, plugin: ECHOTEST, opaque_id }, `opaque_id ${JSON.stringify(opaque_id)}`);
      for (const loop_index of JUNK)
        await t.api({ janus: 'attach', session_id, plugin: ECHOTEST, loop_index }, `loop_index ${JSON.stringify(loop_index)}`);
      await t.api({ janus: 'attach', session_id, handle_id: a.id, plugin: ECHOTEST }, 'on a handle');
    },
  },
  {
    name: 'detach: the event, and the handle is gone',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      const b = await t.attach('b', VIDEOROOM);
      await a.detach();
      await a.hears('detached');
      await a.detach();
      await a.ask({ audio: true });
      await b.ask({ request: 'exists', room: 1 });
      await b.hangup();
      await b.hangup();
    },
  },
  {
    name: 'destroy: nothing is told, all is gone',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.publish({ audio: true, request: undefined });
      await a.connection.request({ janus: 'destroy' });
      await a.ask({ audio: true });
      await a.connection.request({ janus: 'keepalive' });
    },
  },
  {
    name: 'claim: by its own client, by another one, when it is gone',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.connection.request({ janus: 'claim' });
      const other = await t.client('other');
      await other.api({ janus: 'claim', session_id: a.connection.sessionId });
      await a.ask({ audio: true }, undefined, 'its event goes to the other one', 600);
      await other.api({ janus: 'claim', session_id: 987654321 });
      await other.api({ janus: 'claim' });
    },
  },
  {
    name: 'message: bodies and jseps of every kind',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.request({ janus: 'message' });
      for (const body of JUNK)
        await a.request({ janus: 'message', body }, `body ${JSON.stringify(body)}`);
      for (const jsep of [...JUNK, { type: 'offer' }, { sdp: 'v=0' }, { type: 5, sdp: 'v=0' }, { type: 'offer', sdp: 5 }, { type: 'offer', sdp: null }, { type: 'pranswer', sdp: 'v=0' }, { type: 'rollback', sdp: '' },
        { type: 'answer', sdp: 'v=0' }, { type: 'ANSWER', sdp: 'v=0' }])
        await a.request({ janus: 'message', body: { audio: true }, jsep }, `jsep ${JSON.stringify(jsep)}`);
      for (const more of [{ trickle: 5 }, { trickle: null }, { rid_order: 5 }, { rid_order: 'x' }, { e2ee: 'x' }, { force_relay: 1 }, { svc: 5 }])
        await a.request({ janus: 'message', body: { audio: true }, jsep: { type: 'answer', sdp: 'v=0', ...more } }, `jsep with ${JSON.stringify(more)}`);
    },
  },
  {
    name: 'trickle: before a PeerConnection',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.request({ janus: 'trickle' });
      await a.request({ janus: 'trickle', candidate: {}, candidates: [] });
      for (const candidate of JUNK)
        await a.request({ janus: 'trickle', candidate }, `candidate ${JSON.stringify(candidate)}`);
      for (const candidates of JUNK)
        await a.request({ janus: 'trickle', candidates }, `candidates ${JSON.stringify(candidates)}`);
    },
  },
  {
    name: 'trickle: with a PeerConnection',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.publish({ audio: true, request: undefined });
      await a.request({ janus: 'trickle' });
      await a.request({ janus: 'trickle', candidate: {}, candidates: [] });
      const good = { sdpMid: '0', sdpMLineIndex: 0, candidate: 'candidate:1 1 udp 2122260223 127.0.0.1 9 typ host' };
      for (const candidate of [...JUNK, good, { ...good, sdpMid: undefined }, { ...good, sdpMLineIndex: undefined }, { candidate: good.candidate }, ...JUNK.map(sdpMid => ({ ...good, sdpMid })),
        ...JUNK.map(sdpMLineIndex => ({ ...good, sdpMLineIndex })), ...JUNK.map(c => ({ ...good, candidate: c })), { sdpMid: '0' }, { completed: true }, { completed: false }, { completed: null, candidate: 5 }])
        await a.request({ janus: 'trickle', candidate }, `candidate ${JSON.stringify(candidate)}`);
      for (const candidates of [...JUNK, [good], [good, null, 5, {}], [{ completed: true }], [[]]])
        await a.request({ janus: 'trickle', candidates }, `candidates ${JSON.stringify(candidates)}`);
    },
  },
  {
    name: 'hangup: with a PeerConnection, twice, then a new one',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await a.publish({ audio: true, request: undefined });
      await a.hangup();
      await a.hears('hangup');
      await a.hangup();
      await t.quiet(400);
      await a.publish({ audio: true, request: undefined });
      a.peer.bye();
      await a.hears('hangup');
    },
  },
  {
    name: 'huge values',
    steps: async t => {
      const a = await t.attach('a', ECHOTEST);
      await t.api({ janus: 'x'.repeat(10000) }, 'a verb of 10,000 bytes');
      await t.api({ janus: 'x'.repeat(10000), session_id: a.connection.sessionId }, 'a verb of 10,000 bytes in a session');
      await t.api({ janus: 'attach', session_id: a.connection.sessionId, plugin: 'x'.repeat(10000) }, 'a plugin of 10,000 bytes');
      await a.ask({ audio: true, ['k'.repeat(10000)]: 'v'.repeat(10000) }, undefined, 'a key of 10,000 bytes');
      await a.ask({ audio: 'v'.repeat(10000) }, undefined, 'a value of 10,000 bytes');
      await t.raw(JSON.stringify({ janus: 'ping', transaction: 'T'.repeat(60000) }), 'a transaction of 60,000 bytes');
      await t.raw(`{"janus":"ping","transaction":"deep","x":${'['.repeat(2000)}${']'.repeat(2000)}}`, '2,000 arrays inside each other');
      await t.raw(`{"janus":"ping","transaction":"deep","x":${'['.repeat(3000)}${']'.repeat(3000)}}`, '3,000 arrays inside each other');
    },
  },
  ...['compact', 'plain', 'indented'].map(json => ({
    name: `the layout ${json}`,
    server: { websockets: { general: { json } } },
    steps: async t => {
      const c = await t.client('c');
      await c.raw('{"janus":"ping","transaction":"1"}', 'ping', { keepText: true });
      await c.raw('{"janus":"create","transaction":"2","id":31}', 'create', { keepText: true });
      await c.raw('{"janus":"attach","transaction":"3","session_id":31,"plugin":"janus.plugin.nothing"}', 'attach', { keepText: true });
      await c.raw('{"janus":"keepalive","transaction":"\u00e9\\u0001\\"/\\\\","session_id":31}', 'keepalive', { keepText: true });
      await c.raw('{"janus":"attach","transaction":"4","session_id":31,"plugin":"janus.plugin.videoroom"}', 'attach to VideoRoom', { keepText: true });
    },
  })),
];
