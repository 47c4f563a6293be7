// One room on two servers (videoroom.md 7), with a browser at each end: Chromium publishes audio, video and data at one, Chromium
// watches at the other. Between two servers of ours, and between ours and Debian's janus in both directions.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { IS_REFERENCE, ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { openBrowser, received, until, watch } from './lib/browsers.mjs';

const JANUS = process.env.CARDEA_REFERENCE ?? '/usr/bin/janus';
const ROOM = 1234, PUBLISHER = 77, FAR = 901, LABEL = 'chat';
const WATCH_MS = 2500;

let pages, browser;
const open = [];

before(async () => {
  pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  browser = await openBrowser('chromium');
});

afterEach(async () => {
  for (const thing of open.splice(0).reverse())
    await thing();
});

after(async () => {
  await browser?.close();
  await pages?.close();
});

const call = (page, name, ...args) => page.evaluate((n, a) => window.data[n](...a), name, args);

async function openPage() {
  const page = await browser.page(`http://localhost:${pages.port}/data.html`);
  await call(page, 'open');
  open.push(() => page.close());
  return page;
}

async function side(name, bin) {
  const server = await startServer({ name: `browser-cascade-${name}`, bin, rooms: { [`room-${ROOM}`]: { publishers: 6, videocodec: 'vp8' } } });
  open.push(() => server.stop());
  const client = await server.connect();
  open.push(() => client.close());
  const session = await client.session();
  const attach = () => session.attach('janus.plugin.videoroom');
  const admin = await attach();
  return { server, attach, admin: body => admin.sync({ room: ROOM, ...body }) };
}

async function publish(at) {
  const page = await openPage(), handle = await at.attach();
  await call(page, 'addMedia');
  await call(page, 'channel', LABEL, {});
  await handle.message({ request: 'join', ptype: 'publisher', room: ROOM, id: PUBLISHER });
  const { jsep, data } = await handle.message({ request: 'publish' }, await call(page, 'offer'));
  await call(page, 'take', jsep);
  await until('its channel is open', () => call(page, 'isOpen', LABEL));
  return { page, handle, streams: data.streams };
}

async function view(at) {
  const page = await openPage(), handle = await at.attach();
  await until('the far publisher is there', async () => (await at.admin({ request: 'listparticipants' })).participants.some(p => p.id === FAR));
  const { jsep, data } = await handle.message({ request: 'join', ptype: 'subscriber', room: ROOM, streams: [{ feed: FAR }] });
  assert.equal(data.videoroom, 'attached', JSON.stringify(data));
  await call(page, 'channel', 'mine', {});                    /* the reference sends on no line that its client has not used (videoroom.md 14.10) */
  await handle.message({ request: 'start', room: ROOM }, await call(page, 'answer', jsep));
  return { page, handle };
}

/* Messages go by UDP from server to server, and those that come before the viewer's channel is up are for nobody. */
async function say(from, to, kind, size, n) {
  const label = String(FAR);
  await until(`${kind} of ${size} bytes`, async () => {
    await call(from, 'send', LABEL, { kind, size, first: n });
    for (let i = 0; i < 10; i++, await new Promise(done => setTimeout(done, 50)))
      if (await call(to, 'info', label) && await call(to, 'check', label, { kind, size, n }) === null)
        return true;
    return false;
  });
}

async function cascade(A, B, srtp = {}) {
  const p = await publish(A);
  const added = await B.admin({ request: 'add_remote_publisher', id: FAR, display: 'far', streams: p.streams, ...srtp });
  assert.equal(added.videoroom, 'success', JSON.stringify(added));
  const made = await A.admin({ request: 'publish_remotely', publisher_id: PUBLISHER, remote_id: 'B', host: '127.0.0.1', port: added.port, rtcp_port: added.rtcp_port, ...srtp });
  assert.equal(made.videoroom, 'success', JSON.stringify(made));
  const v = await view(B);
  await until('pictures come', async () => Object.values(await received(v.page)).some(s => s.frames > 5));
  const { problems } = await watch(v.page, { ms: WATCH_MS, people: 1, slice: 1200 });
  assert.deepEqual(problems ?? [], []);
  return { p, v };
}

/* What rtp_forward makes of messages: the bytes, and nothing else. */
async function hearForwarded(A, page) {
  const ear = dgram.createSocket('udp4'), heard = [];
  open.push(() => ear.close());
  ear.on('message', bytes => heard.push(bytes));
  await new Promise(done => ear.bind(0, '127.0.0.1', done));
  const { rtp_stream: made } = await A.admin({ request: 'rtp_forward', publisher_id: PUBLISHER, host: '127.0.0.1', data_port: ear.address().port });
  assert.ok(made?.data_stream_id > 0 && made.data === ear.address().port, JSON.stringify(made));
  for (const [kind, size] of [['text', 12], ['binary', 30000]])
    await call(page, 'send', LABEL, { kind, size, first: 4 });
  await until('both have come', () => heard.length === 2);
  assert.equal(heard[0].toString(), '4:'.padEnd(12, 'e'));
  assert.ok(heard[1].equals(Buffer.from(Array.from({ length: 30000 }, (_, i) => (4 * 131 + i * 7 + (i >> 8)) & 255))));
  await A.admin({ request: 'stop_rtp_forward', publisher_id: PUBLISHER, stream_id: made.data_stream_id });
}

const KEYS = { srtp_suite: 80, srtp_crypto: randomBytes(30).toString('base64') };
const CASES = [
  { name: 'two servers of ours, in the clear', A: undefined, B: undefined, srtp: {} },
  { name: 'two servers of ours, as SRTP', A: undefined, B: undefined, srtp: KEYS },
  { name: 'from ours to janus', A: undefined, B: JANUS, srtp: {} },
  { name: 'from janus to ours', A: JANUS, B: undefined, srtp: {} },
];

for (const { name, A: a, B: b, srtp } of CASES)
  test(`a browser at each end: ${name}`, { skip: (a ?? b) !== undefined && (IS_REFERENCE || !existsSync(JANUS)) && 'no janus here' }, async () => {
    const A = await side('A', a), B = await side('B', b);
    const { p, v } = await cascade(A, B, srtp);
    await say(p.page, v.page, 'text', 20, 1);
    await say(p.page, v.page, 'text', 1400, 2);
    await say(p.page, v.page, 'binary', 1000, 3);
    if (a === undefined)
      await hearForwarded(A, p.page);
    const now = await received(v.page);
    console.log(`    ${name}: ${Object.values(now).map(s => `${s.kind} ${s.packets} packets, ${s.lost} lost`).join('; ')}`);
    assert.equal((await A.admin({ request: 'unpublish_remotely', publisher_id: PUBLISHER, remote_id: 'B' })).videoroom, 'success');
    await B.admin({ request: 'remove_remote_publisher', id: FAR });
  });
