// TextRoom over real data channels: the transcript of textroom.md 8, what hostile clients send, and a client that reads nothing. The
// reference passes what it can (CARDEA_BIN=/usr/bin/janus).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { IS_REFERENCE, ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { openBrowser, until } from './lib/browsers.mjs';

const LABEL = 'JanusDataChannel';
const REFERENCE_LIMIT = 60000;           /* it relays no text that is longer than 65,535 bytes */

let server, pages, client, session, browser;

before(async () => {
  server = await startServer({ name: 'browser-textroom', textroom: { json: 'compact' }, textrooms: { 'room-7': { history: 3 }, 'room-8': { pin: 'p' } } });
  pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  client = await server.connect();
  session = await client.session();
  browser = await openBrowser('chromium');
});

after(async () => {
  await browser?.close();
  await client?.close();
  await pages?.close();
  await server?.stop();
});

const call = (page, name, ...args) => page.evaluate((n, a) => window.data[n](...a), name, args);
const ok = { textroom: 'event', result: 'ok' };

/* Somebody whose data channel is up: say(text or object) on it, hear() what came next, as text. */
async function talker(from = browser) {
  const page = await from.page(`http://localhost:${pages.port}/data.html`);
  const handle = await session.attach('janus.plugin.textroom');
  await call(page, 'open');
  const negotiate = async request => {
    const { data, jsep } = await handle.message({ request });
    assert.deepEqual(data, ok);
    assert.equal(jsep.type, 'offer');
    assert.deepEqual((await handle.message({ request: 'ack' }, await call(page, 'answer', jsep))).data, ok);
  };
  /* The offer asks for a channel; the client opens it, as janus.js does. */
  await page.evaluate(label => {
    const { setRemoteDescription } = RTCPeerConnection.prototype;
    window.data.pc.setRemoteDescription = function (jsep) {
      if (!window.data.channels.has(label))
        window.data.channel(label);
      return setRemoteDescription.call(this, jsep);
    };
  }, LABEL);
  await negotiate('setup');
  await until('the channel is open', () => call(page, 'isOpen', LABEL), 15000, 50);
  const me = {
    page, handle, negotiate,
    say: message => page.evaluate((l, text) => window.data.channels.get(l).channel.send(text), LABEL, typeof message === 'string' ? message : JSON.stringify(message)),
    count: () => page.evaluate(l => window.data.channels.get(l).got.length, LABEL),
    async hear(ms = 10000) {
      await until('something is said', async () => await me.count() > 0, ms, 20);
      return page.evaluate(l => window.data.channels.get(l).got.shift(), LABEL);
    },
    async ask(body) {
      await me.say({ transaction: 't', ...body });
      return JSON.parse(await me.hear());
    },
    join: async (room, username) => {
      await me.say({ textroom: 'join', transaction: 'j', room, username, history: false });
      assert.equal(JSON.parse(await me.hear()).textroom, 'join');
      assert.equal(JSON.parse(await me.hear()).transaction, 'j');
    },
    async leave() {
      await handle.detach();
      await page.close();
    },
  };
  return me;
}

const DATE = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d{4}';
const like = text => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace('DATE', DATE)}$`);

test('who joins, speaks, whispers and leaves is heard in order, byte for byte', async () => {
  const [u9, u2, u1] = [await talker(), await talker(), await talker()];
  await u9.say({ textroom: 'join', transaction: 'a', room: 7, username: 'u9', display: 'Zed' });
  assert.equal(await u9.hear(), '{"textroom":"join","room":7,"username":"u9","display":"Zed"}');
  assert.equal(await u9.hear(), '{"textroom":"success","participants":[],"transaction":"a"}');
  await u9.say({ textroom: 'message', transaction: 'b', room: 7, text: 'old' });
  assert.match(await u9.hear(), like('{"textroom":"message","room":7,"from":"u9","date":"DATE","text":"old"}'));
  assert.equal(await u9.hear(), '{"textroom":"success","transaction":"b"}');

  await u1.say({ textroom: 'join', transaction: 'j1', room: 7, username: 'u1', display: 'Ann' });
  assert.match(await u1.hear(), like('{"textroom":"message","room":7,"from":"u9","date":"DATE","text":"old","display":"Zed"}'));
  assert.equal(await u1.hear(), '{"textroom":"join","room":7,"username":"u1","display":"Ann"}');
  assert.equal(await u1.hear(), '{"textroom":"success","participants":[{"username":"u9","display":"Zed"}],"transaction":"j1"}');
  assert.equal(await u9.hear(), '{"textroom":"join","room":7,"username":"u1","display":"Ann"}');
  await u2.join(7, 'u2');
  for (const other of [u1, u9])
    assert.equal(await other.hear(), '{"textroom":"join","room":7,"username":"u2"}');

  await u1.say({ textroom: 'message', transaction: 'm1', room: 7, text: 'h\u00e9llo "you" \ud83d\ude42' });
  for (const everybody of [u1, u2, u9])
    assert.match(await everybody.hear(), like('{"textroom":"message","room":7,"from":"u1","date":"DATE","text":"h\u00e9llo \\"you\\" \ud83d\ude42"}'));
  assert.equal(await u1.hear(), '{"textroom":"success","transaction":"m1"}');
  await u1.say({ textroom: 'message', transaction: 'm2', room: 7, tos: ['u2', 'nobody'], text: 'psst' });
  assert.match(await u2.hear(), like('{"textroom":"message","room":7,"from":"u1","date":"DATE","text":"psst","whisper":true}'));
  assert.equal(await u1.hear(), '{"textroom":"success","sent":{"u2":true,"nobody":false},"transaction":"m2"}');
  await u1.say({ textroom: 'message', transaction: 'm3', room: 99, text: 'x' });
  assert.equal(await u1.hear(), '{"textroom":"error","error_code":417,"error":"No such room (99)","transaction":"m3"}');
  await u1.say({ textroom: 'message', transaction: 'm4', room: 7, text: 'no reply', ack: false });
  assert.match(await u1.hear(), /"text":"no reply"}$/);
  await u1.say({ textroom: 'leave', transaction: 'l1', room: 7 });
  assert.equal(await u1.hear(), '{"textroom":"leave","room":7,"username":"u1"}');
  assert.equal(await u1.hear(), '{"textroom":"success","transaction":"l1"}');
  for (const other of [u2, u9]) {
    assert.match(await other.hear(), /"text":"no reply"}$/);
    assert.equal(await other.hear(), '{"textroom":"leave","room":7,"username":"u1"}');
  }
  await u9.leave();
  assert.equal(await u2.hear(), '{"textroom":"leave","room":7,"username":"u9"}');
  assert.equal(await u2.count() + await u1.count(), 0);
  await u1.leave();
  await u2.leave();
});

test('rooms are managed on the channel, and who manages may be in the room', async () => {
  const [ann, ben] = [await talker(), await talker()];
  assert.deepEqual(await ann.ask({ textroom: 'create', room: 20, secret: 's', pin: 'p', permanent: true }), { textroom: 'success', room: 20, permanent: true, transaction: 't' });
  if (!IS_REFERENCE)
    await until('the file has it', () => /room-20/.test(readFileSync(join(server.dir, 'janus.plugin.textroom.jcfg'), 'utf8')));
  for (const who of [ann, ben]) {
    assert.equal((await who.ask({ textroom: 'join', room: 20, username: 'x' })).error_code, 413);
    assert.equal((await who.ask({ textroom: 'join', room: 20, username: 'x', pin: 'q' })).error_code, 419);
  }
  await ann.ask({ textroom: 'join', room: 20, username: 'ann', pin: 'p' });
  await ann.hear();
  await ben.ask({ textroom: 'join', room: 20, username: 'ben', pin: 'p' });
  await ben.hear();
  await ann.hear();
  assert.deepEqual(await ann.ask({ textroom: 'join', room: 20, username: 'ann', pin: 'p' }), { textroom: 'error', error_code: 421, error: 'Already in room 20', transaction: 't' });
  await ann.say({ textroom: 'announcement', transaction: 'n', room: 20, secret: 's', text: 'all' });
  for (const who of [ann, ben])
    assert.match(await who.hear(), like('{"textroom":"announcement","room":20,"date":"DATE","text":"all"}'));
  assert.equal(await ann.hear(), '{"textroom":"success","transaction":"n"}');
  await ann.say({ textroom: 'kick', transaction: 'k', room: 20, secret: 's', username: 'ben' });
  for (const who of [ann, ben])
    assert.equal(await who.hear(), '{"textroom":"kicked","room":20,"username":"ben"}');
  assert.equal(JSON.parse(await ann.hear()).transaction, 'k');
  await ann.say({ textroom: 'destroy', transaction: 'd', room: 20, secret: 's', permanent: true });
  assert.equal(await ann.hear(), '{"textroom":"destroyed","room":20}');
  assert.equal(await ann.hear(), '{"textroom":"destroyed","room":20}');
  assert.equal(await ann.hear(), '{"textroom":"success","room":20,"permanent":true,"transaction":"d"}');
  await ann.leave();
  await ben.leave();
});

test('what is no request is dropped or refused, and the channel goes on', async () => {
  const me = await talker();
  for (const text of ['x', '{', '{"textroom":"list","transaction":"t"', 'null', '\u0000', '['.repeat(50000), `{"x":${'[0,'.repeat(9)}`, '"list"', '5'])
    await me.say(text);
  await me.page.evaluate(l => {
    const { channel } = window.data.channels.get(l);
    channel.send(new TextEncoder().encode('{"textroom":"list","transaction":"binary"}'));
    for (const byte of [0, 255, 123])
      channel.send(new Uint8Array(5000).fill(byte));
  }, LABEL);
  assert.deepEqual(await me.ask({ textroom: 'exists', room: 7 }), { textroom: 'success', room: 7, exists: true, transaction: 't' });
  await me.say('{}');
  assert.deepEqual(JSON.parse(await me.hear()), { textroom: 'error', error_code: 413, error: 'Missing mandatory element (textroom)' });
  await me.say('{"textroom":"list"}');
  assert.deepEqual(JSON.parse(await me.hear()), { textroom: 'error', error_code: 413, error: 'Missing mandatory element (transaction)' });
  assert.deepEqual(await me.ask({ textroom: 'dance' }), { textroom: 'error', error_code: 415, error: 'Unsupported request dance', transaction: 't' });
  /* Another channel is as good to speak on; what is said to us comes on the usual one. */
  await call(me.page, 'channel', 'other');
  await until('it is open', () => call(me.page, 'isOpen', 'other'));
  await me.page.evaluate(() => window.data.channels.get('other').channel.send('{"textroom":"exists","room":7,"transaction":"o"}'));
  assert.equal(JSON.parse(await me.hear()).transaction, 'o');
  await me.leave();
});

test('huge texts arrive whole, too huge ones are refused', async () => {
  const [ann, ben] = [await talker(), await talker()];
  await ann.join(7, 'ann');
  await ben.join(7, 'ben');
  await ann.hear();
  const sizes = IS_REFERENCE ? [REFERENCE_LIMIT] : [REFERENCE_LIMIT, 65536, 200000, 262000];
  for (const size of sizes) {
    const text = 'x'.repeat(size - 100);
    await ann.say({ textroom: 'message', transaction: 't', room: 7, text });
    assert.equal(JSON.parse(await ben.hear()).text.length, text.length);
    assert.equal(JSON.parse(await ann.hear()).text.length, text.length);
    assert.equal(JSON.parse(await ann.hear()).textroom, 'success');
  }
  if (!IS_REFERENCE)
    assert.equal((await ann.ask({ textroom: 'message', room: 7, text: 'x'.repeat(262080) })).error, 'Invalid element value (text is too long)');
  await ann.leave();
  await ben.leave();
});

test('an ICE restart that the client asks for changes nothing', async () => {
  const me = await talker();
  await me.join(7, 'me');
  await me.negotiate('restart');
  assert.equal((await me.ask({ textroom: 'listparticipants', room: 7 })).participants.length, 1);
  await me.leave();
});

test('a client that reads nothing costs its neighbours nothing, and hears again what is said once it reads', { skip: IS_REFERENCE && 'there it costs memory' }, async () => {
  const deafBrowser = await openBrowser('chromium');
  try {
    const [ann, ben, deaf] = [await talker(), await talker(), await talker(deafBrowser)];
    for (const [who, name] of [[deaf, 'deaf'], [ben, 'ben'], [ann, 'ann']])
      await who.join(7, name);
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) * 1024;
    const COUNT = 400, SIZE = 50000;       /* 20 MB: more than may be kept */
    const before = rss();
    deafBrowser.stop();
    await ann.page.evaluate(async (label, count, size) => {
      const { channel } = window.data.channels.get(label);
      for (let i = 0; i < count; i++) {
        while (channel.bufferedAmount > 1 << 20)
          await new Promise(done => { setTimeout(done, 5); });
        channel.send(JSON.stringify({ textroom: 'message', transaction: `n${i}`, room: 7, text: `${i} ${'x'.repeat(size)}` }));
      }
    }, LABEL, COUNT, SIZE);
    const has = (who, wanted) => until('all has come', async () => (await call(who.page, 'info', LABEL)).count >= wanted, 20000);
    await has(ann, 2 * COUNT);               /* each with its reply */
    await has(ben, COUNT);
    assert.ok(rss() - before < 16 << 20, `${(rss() - before) >> 20} MiB more`);
    deafBrowser.resume();
    await deaf.page.evaluate(l => { window.data.channels.get(l).got = []; }, LABEL);
    await until('it hears what is said now', async () => {
      await ann.say({ textroom: 'message', transaction: 'z', room: 7, text: 'are you there?', ack: false });
      return deaf.page.evaluate(l => window.data.channels.get(l).got.some(text => text.includes('are you there?')), LABEL);
    }, 20000, 300);
    for (const who of [ann, ben, deaf])
      await who.leave();
  } finally {
    await deafBrowser.close();
  }
});

describe('in Firefox', () => {
  test('one joins, speaks and hears, up to the largest text', { skip: process.env.SHORT === '1' && 'Firefox’s channels are tried in data.test.mjs' }, async () => {
    const firefox = await openBrowser('firefox');
    try {
      const [fox, ann] = [await talker(firefox), await talker()];
      await ann.join(7, 'ann');
      await fox.join(7, 'fox');
      await ann.hear();
      for (const size of IS_REFERENCE ? [10] : [10, 261000]) {
        await fox.say({ textroom: 'message', transaction: 't', room: 7, text: 'y'.repeat(size) });
        for (const who of [ann, fox])
          assert.equal(JSON.parse(await who.hear()).text.length, size);
        assert.equal(JSON.parse(await fox.hear()).textroom, 'success');
        await ann.say({ textroom: 'message', transaction: 't', room: 7, text: 'z'.repeat(size), to: 'fox' });
        assert.equal(JSON.parse(await fox.hear()).text.length, size);
        await ann.hear();
      }
      await fox.leave();
      await ann.leave();
    } finally {
      await firefox.close();
    }
  });
});
