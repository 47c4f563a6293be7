// The same media with other signalling: a Node program on Janode, unmodified, carries descriptions and candidates between
// the server and pages that hold nothing but a PeerConnection.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { join } from 'node:path';

import { ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { EchoTestPlugin, Janode, VideoRoomPlugin } from './lib/janode.mjs';
import { openBrowser, until, watch } from './lib/browsers.mjs';

let server;
let pages;
let browser;
let connection;
const opened = [];

before(async () => {
  server = await startServer({ name: 'browser-janode', rooms: { 'room-1234': { description: 'Janode', publishers: 6, videocodec: 'vp8' } } });
  pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  browser = await openBrowser('chromium');
  connection = await Janode.connect({ is_admin: false, address: { url: server.ws } });
});

after(async () => {
  await browser?.close();
  await connection?.close();
  await pages?.close();
  await server?.stop();
});

async function barePage(options) {
  const page = await browser.page(`http://localhost:${pages.port}/bare.html`);
  opened.push(page);
  await page.evaluate(o => window.bare.open(o), options);
  return page;
}

const call = (page, name, ...args) => page.evaluate((n, a) => window.bare[n](...a), name, args);

/* Candidates go one by one, as the page finds them, until the last. */
async function trickle(page, handle) {
  for (let done = false; !done;) {
    for (const candidate of await call(page, 'newCandidates')) {
      if (candidate === null) {
        await handle.trickleComplete();
        done = true;
      } else {
        await handle.trickle(candidate);
      }
    }
  }
}

const connected = page => until('the PeerConnection is up', async () => await call(page, 'state') === 'connected', 15000);

describe('through Janode', () => {
  test('the server tells who it is', async () => {
    const info = await connection.getInfo();
    assert.equal(typeof info.version, 'number');
    assert.ok(info.plugins['janus.plugin.videoroom']);
    assert.ok(info.plugins['janus.plugin.echotest']);
  });

  test('the echo test sends picture and sound back, and says that it is up', async () => {
    const session = await connection.create();
    const handle = await session.attach(EchoTestPlugin);
    const up = new Promise(done => handle.once(Janode.EVENT.HANDLE_WEBRTCUP, done));
    const media = new Set();
    handle.on(Janode.EVENT.HANDLE_MEDIA, ({ type, receiving }) => media.add(`${type} ${receiving}`));
    const page = await barePage({ send: true });
    const { jsep } = await handle.start({ audio: true, video: true, jsep: await call(page, 'offer') });
    assert.equal(jsep.type, 'answer');
    await call(page, 'take', jsep);
    await trickle(page, handle);
    await up;
    await connected(page);
    const result = await watch(page, { ms: 4000, people: 1, label: 'echo' });
    assert.deepEqual(result.problems, []);
    assert.ok(media.has('audio true') && media.has('video true'), [...media].join());

    const hangup = new Promise(done => handle.once(Janode.EVENT.HANDLE_HANGUP, done));
    await handle.hangup();
    assert.equal((await hangup).reason, 'Janus API');
    await handle.detach();
    await session.destroy();
  });

  test('a publisher and a subscriber meet in a room', async () => {
    const session = await connection.create();
    const publisher = await session.attach(VideoRoomPlugin);
    const watcher = await session.attach(VideoRoomPlugin);
    const heard = [];
    const { feed } = await publisher.joinPublisher({ room: 1234, display: 'Pia' });
    await watcher.joinPublisher({ room: 1234, display: 'Wim' });
    watcher.on(VideoRoomPlugin.EVENT.VIDEOROOM_PUB_LIST, event => heard.push(event));

    const from = await barePage({ send: true });
    const { jsep: answer } = await publisher.publish({ audio: true, video: true, jsep: await call(from, 'offer') });
    await call(from, 'take', answer);
    await trickle(from, publisher);
    await connected(from);
    await until('the room tells of the publisher', () => heard.some(e => e.publishers.some(p => p.feed === feed && p.display === 'Pia')));

    const subscriber = await session.attach(VideoRoomPlugin);
    const { jsep: offer } = await subscriber.joinSubscriber({ room: 1234, streams: [{ feed }] });
    assert.equal(offer.type, 'offer');
    const to = await barePage({ send: false });
    await subscriber.start({ jsep: await call(to, 'answer', offer) });
    await trickle(to, subscriber);
    await connected(to);
    let result = await watch(to, { ms: 4000, people: 1, label: 'subscriber' });
    assert.deepEqual(result.problems, []);

    await subscriber.pause();
    await subscriber.start({});
    result = await watch(to, { ms: 4000, people: 1, label: 'after a pause' });
    assert.deepEqual(result.problems, []);

    const gone = new Promise(done => watcher.once(VideoRoomPlugin.EVENT.VIDEOROOM_UNPUBLISHED, done));
    await publisher.unpublish();
    assert.equal((await gone).feed, feed);
    await session.destroy();
  });

  test('rooms are made, listed, and unmade', async () => {
    const session = await connection.create();
    const handle = await session.attach(VideoRoomPlugin);
    const { room } = await handle.create({ description: 'Made by Janode', max_publishers: 4, secret: 'sesame' });
    assert.equal((await handle.exists({ room })).exists, true);
    assert.ok((await handle.list()).list.some(r => r.room === room && r.description === 'Made by Janode'));
    assert.deepEqual((await handle.listParticipants({ room })).participants, []);
    await assert.rejects(handle.destroy({ room, secret: 'wrong' }), /433/);
    await handle.destroy({ room, secret: 'sesame' });
    assert.equal((await handle.exists({ room })).exists, false);
    await session.destroy();
  });
});
