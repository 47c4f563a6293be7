// Data channels of real browsers: through the echo test and through a room, text and binary, in every reliability, up to the
// largest message; while the PeerConnection is restarted, renegotiated, and its channels are closed and opened again.
//
// CARDEA_DATA_LONG=1: the long form (a file of 100 MB, 25 s of a receiver that is stopped: after 30 its ICE would have to fail. A
// receiver that is there and reads nothing for a minute is tests/unit/worker/data.c's, in virtual time).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { openBrowser, until } from './lib/browsers.mjs';

const LONG = process.env.CARDEA_DATA_LONG === '1';
const FILE = LONG ? 100 << 20 : 5 << 20;
const STALL_MS = LONG ? 25000 : 6000;
const KIB256 = 262144;
const GREETING = 'Janus EchoTest here! You wrote: ';
const LABEL = 'JanusDataChannel';

let server, pages, client, session;
const browsers = {};

before(async () => {
  /* Peers on any of four workers: what a room says crosses from one to another more often than not. */
  server = await startServer({ name: 'browser-data', core: { general: { workers: 4, placement: 'random' } }, rooms: { 'room-1234': { description: 'Data', publishers: 6 } } });
  pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  client = await server.connect();
  session = await client.session();
  [browsers.chromium, browsers.firefox] = await Promise.all(['chromium', 'firefox'].map(kind => openBrowser(kind)));
});

after(async () => {
  await Promise.all(Object.values(browsers).map(browser => browser?.close()));
  await client?.close();
  await pages?.close();
  await server?.stop();
});

const call = (page, name, ...args) => page.evaluate((n, a) => window.data[n](...a), name, args);

async function openPage(browser) {
  const page = await browser.page(`http://localhost:${pages.port}/data.html`);
  await call(page, 'open');
  return page;
}

const rssKiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);

const isOpen = (page, label, ms = 15000) => until(`channel ${label} is open`, () => call(page, 'isOpen', label), ms);
const came = (page, label, count, ms = 20000) =>
  until(`${count} messages on ${label}`, async () => (await call(page, 'info', label))?.count >= count, ms, 50);

/* Offers what the page has, to a handle that answers. */
async function negotiate(page, handle, body, options) {
  const { data, jsep } = await handle.message(body, await call(page, 'offer', options));
  assert.equal(jsep?.type, 'answer', JSON.stringify(data));
  await call(page, 'take', jsep);
  return { data, sdp: jsep.sdp };
}

/* A page in the echo test, its channel open. */
async function echo(browser, { label = LABEL, channel = {}, from = session } = {}) {
  const page = await openPage(browser);
  const handle = await from.attach('janus.plugin.echotest');
  await call(page, 'channel', label, channel);
  const { sdp } = await negotiate(page, handle, { audio: true });
  await isOpen(page, label);
  return { page, handle, sdp, close: async () => { await handle.detach(); await page.close(); } };
}

async function roundTrip(page, { label = LABEL, kind, size, n, prefix = kind === 'text' ? GREETING : '' }) {
  const before = (await call(page, 'info', label)).count;
  await call(page, 'send', label, { kind, size, first: n });
  await came(page, label, before + 1);
  assert.equal(await call(page, 'check', label, { kind, size, n, prefix }), null, `${kind} of ${size} bytes`);
}

/* The same message again and again until it comes back: an unreliable channel may lose some, but not all. */
async function oneOf(page, label, { kind, size, n, tries }) {
  const before = (await call(page, 'info', label)).count;
  for (let i = 0; i < tries; i++) {
    await call(page, 'send', label, { kind, size, first: n });
    try {
      await came(page, label, before + 1, tries === 1 ? 20000 : 2000);
      break;
    } catch (error) {
      if (i === tries - 1)
        throw error;
    }
  }
  assert.equal(await call(page, 'check', label, { kind, size, n, prefix: kind === 'text' ? GREETING : '' }), null, `${kind} of ${size} bytes`);
  await sleep(50);                         /* what comes late */
  await page.evaluate(l => { window.data.channels.get(l).got = []; }, label);
}

/* A page that publishes data in the room, and one that watches it; `label`: what its messages come under. */
async function publish(browser, id) {
  const page = await openPage(browser);
  const handle = await session.attach('janus.plugin.videoroom');
  await handle.message({ request: 'join', ptype: 'publisher', room: 1234, id });
  await call(page, 'channel', LABEL, {});
  await negotiate(page, handle, { request: 'publish' });
  await isOpen(page, LABEL);
  return { page, handle, id, label: String(id), close: async () => { await handle.detach(); await page.close(); } };
}

async function watchData(browser, publisher) {
  const page = await openPage(browser);
  const handle = await session.attach('janus.plugin.videoroom');
  const { jsep } = await handle.message({ request: 'join', ptype: 'subscriber', room: 1234, streams: [{ feed: publisher.id }] });
  assert.match(jsep.sdp, /m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel/);
  await handle.message({ request: 'start', room: 1234 }, await call(page, 'answer', jsep));
  await until('the first message has come', async () => {
    await call(publisher.page, 'send', LABEL, { kind: 'text', size: 10 });
    return (await call(page, 'info', publisher.label))?.count > 0;
  }, 20000, 300);
  await sleep(500);
  await page.evaluate(l => { window.data.channels.get(l).got = []; }, publisher.label);
  return { page, handle, close: async () => { await handle.detach(); await page.close(); } };
}

for (const kind of ['chromium', 'firefox'])
  describe(`in ${kind}`, () => {
    let browser;
    before(() => { browser = browsers[kind]; });

    test('the answer says what SCTP needs', async () => {
      const { sdp, page, close } = await echo(browser);
      assert.match(sdp, /m=application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r\n/);
      assert.match(sdp, /a=sctp-port:5000\r\n/);
      assert.match(sdp, /a=max-message-size:262144\r\n/);
      assert.equal(await call(page, 'maxMessage'), KIB256);
      await close();
    });

    test('text and binary come back, from nothing but a letter to 256 KiB', async () => {
      const { page, close } = await echo(browser);
      let n = 0;
      for (const size of [1, 1000, 1200, 65535, 65536, KIB256 - GREETING.length])
        for (const kind of ['text', 'binary'])
          await roundTrip(page, { kind, size, n: n++ });
      await roundTrip(page, { kind: 'binary', size: KIB256, n });
      await roundTrip(page, { kind: 'text', size: KIB256, n: 0, prefix: kind === 'firefox' ? GREETING : '' });
      await close();
    });

    test('in order or not, reliable or not, with a protocol', async () => {
      const options = [{ ordered: false }, { maxRetransmits: 0 }, { maxRetransmits: 3, ordered: false }, { maxPacketLifeTime: 500 },
        { maxPacketLifeTime: 500, ordered: false }, { protocol: 'chat/1' }];
      const { page, handle, close } = await echo(browser);
      for (const [i, channel] of options.entries()) {
        const label = `kind ${i} ü`;
        await call(page, 'channel', label, channel);
        await isOpen(page, label);
        const tries = channel.maxRetransmits === undefined && channel.maxPacketLifeTime === undefined ? 1 : 20;
        await oneOf(page, label, { kind: 'text', size: 3000, n: i, tries });
        await oneOf(page, label, { kind: 'binary', size: KIB256, n: i, tries });
        const info = await call(page, 'info', label);
        assert.equal(info.protocol, channel.protocol ?? '');
        assert.equal(info.ordered, channel.ordered ?? true);
      }
      assert.equal((await call(page, 'info', LABEL)).count, 0, 'nothing strays to another channel');
      assert.ok(handle);
      await close();
    });

    test(`a file of ${FILE >> 20} MB comes back whole`, async () => {
      const { page, close } = await echo(browser);
      const { ms, bytes, wrong } = await page.evaluate(o => window.data.file(o), { label: LABEL, size: FILE, chunk: 65536 });
      assert.deepEqual({ bytes, wrong }, { bytes: FILE, wrong: 0 });
      console.log(`# ${kind}: ${FILE >> 20} MB there and back in ${Math.round(ms)} ms, ${Math.round(FILE * 8 / ms / 1000)} Mb/s each way`);
      await close();
    });

    test('a channel closed and opened again works, under the same label', async () => {
      const { page, close } = await echo(browser);
      await roundTrip(page, { kind: 'text', size: 50, n: 0 });
      for (let round = 1; round < 4; round++) {
        await page.evaluate(label => window.data.channels.get(label).channel.close(), LABEL);
        await until('it is closed', async () => (await call(page, 'info', LABEL)).closed, 10000);
        await call(page, 'channel', LABEL, {});
        await isOpen(page, LABEL);
        await roundTrip(page, { kind: 'text', size: 50, n: round });
      }
      assert.deepEqual(await page.evaluate(() => window.data.opened), [], 'the server has opened none of its own');
      await close();
    });

    test('an ICE restart and a renegotiation change nothing', async () => {
      const { page, handle, close } = await echo(browser);
      await roundTrip(page, { kind: 'text', size: 500, n: 0 });
      await negotiate(page, handle, { audio: true }, { iceRestart: true });
      await roundTrip(page, { kind: 'binary', size: KIB256, n: 1 });
      await sleep(500);
      await call(page, 'addAudio');
      const { sdp } = await negotiate(page, handle, { audio: true });
      assert.match(sdp, /m=audio/);
      await roundTrip(page, { kind: 'text', size: 500, n: 2 });
      await roundTrip(page, { kind: 'binary', size: 100000, n: 3 });
      await close();
    });

    test('data on a PeerConnection that began without it', async () => {
      const page = await openPage(browser);
      const handle = await session.attach('janus.plugin.echotest');
      await call(page, 'addAudio');
      await negotiate(page, handle, { audio: true });
      await until('it is connected', async () => await call(page, 'state') === 'connected', 15000);
      await call(page, 'channel', LABEL, {});
      await negotiate(page, handle, { audio: true });
      await isOpen(page, LABEL);
      await roundTrip(page, { kind: 'text', size: 100, n: 0 });
      await handle.detach();
      await page.close();
    });

    test('through a room: text and binary, on a channel with the publisher\'s id', async () => {
      const out = await publish(browser, kind === 'firefox' ? 5001 : 5002);
      const back = await watchData(browser, out);
      const publisher = out.page, viewer = back.page, { label } = out;
      let n = 0;
      for (const [kind, size] of [['text', 20], ['binary', 20], ['text', KIB256], ['binary', KIB256]]) {
        const before = (await call(viewer, 'info', label)).count;
        await call(publisher, 'send', LABEL, { kind, size, first: n });
        await came(viewer, label, before + 1);
        assert.equal(await call(viewer, 'check', label, { kind, size, n }), null, `${kind} of ${size} bytes`);
        n++;
      }
      const arrived = viewer.evaluate(o => window.data.file(o), { label, back: label, size: FILE, chunk: 65536, only: 'receive' });
      await publisher.evaluate(o => window.data.file(o), { label: LABEL, size: FILE, chunk: 65536, only: 'send' });
      const { bytes, wrong } = await arrived;
      assert.deepEqual({ bytes, wrong }, { bytes: FILE, wrong: 0 });
      await out.close();
      await back.close();
    });
  });

describe('somebody who takes nothing', () => {
  let chromium, firefox;
  before(() => ({ chromium, firefox } = browsers));
  afterEach(() => { firefox.resume(); });          /* also when a test has failed: others need it */

  test('a room goes on without the one that is stopped, memory is bounded, and it comes back', async () => {
    const publisher = await publish(chromium, 5003);
    const well = await watchData(chromium, publisher), ill = await watchData(firefox, publisher);
    const chunk = 65536, label = publisher.label;
    await call(publisher.page, 'send', LABEL, { kind: 'binary', size: chunk, count: 40 });
    await came(well.page, label, 40);
    const before = rssKiB();
    firefox.stop();
    const begun = Date.now();
    let sent = 40, most = 0;
    while (Date.now() - begun < STALL_MS) {
      await call(publisher.page, 'send', LABEL, { kind: 'binary', size: chunk, count: 20, first: sent });
      sent += 20;
      most = Math.max(most, rssKiB() - before);
      await sleep(100);
    }
    const { count } = await call(well.page, 'info', label);
    await came(well.page, label, sent, 20000);
    console.log(`# ${sent * chunk >> 20} MB past a stopped receiver; ${most} KiB more in the server`);
    assert.ok(count > 60, 'the others went on meanwhile');
    assert.ok(most < 24 << 10, `${most} KiB more`);
    firefox.resume();
    const late = (await call(ill.page, 'info', label)).count;
    await until('it hears again', async () => {
      await call(publisher.page, 'send', LABEL, { kind: 'text', size: 20 });
      return (await call(ill.page, 'info', label)).count > late;
    }, 30000, 500);
    for (const one of [publisher, well, ill])
      await one.close();
  });

  test('an echo that nobody takes holds up its sender alone', async () => {
    const stopped = await echo(firefox), other = await echo(chromium);
    await roundTrip(stopped.page, { kind: 'text', size: 100, n: 0 });
    const before = rssKiB();
    await stopped.page.evaluate(label => { window.data.send(label, { kind: 'binary', size: 65536, count: 400 }); }, LABEL);
    await sleep(100);
    firefox.stop();
    await sleep(STALL_MS / 2);
    await roundTrip(other.page, { kind: 'binary', size: KIB256, n: 1 });
    assert.ok(rssKiB() - before < 16 << 10, `${rssKiB() - before} KiB more`);
    firefox.resume();
    await came(stopped.page, LABEL, 401, 60000);
    await stopped.close();
    await other.close();
  });
});

describe('with the setting raised', () => {
  let big, own;
  before(async () => {
    big = await startServer({ name: 'browser-data-big', core: { media: { max_message_size: 2 << 20 } } });
    own = await big.connect();
  });
  after(async () => { await own?.close(); await big?.stop(); });

  test('Firefox sends 1 MB at once, and gets it back', async () => {
    const { page, sdp, close } = await echo(browsers.firefox, { from: await own.session() });
    assert.match(sdp, /a=max-message-size:2097152\r\n/);
    for (const kind of ['binary', 'text'])
      await roundTrip(page, { kind, size: 1 << 20, n: 1 });
    await close();
  });
});
