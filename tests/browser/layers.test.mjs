// Layers are switched, up and down, spatial and temporal, and no picture stands still: a Chromium publishes them (simulcast, and several in
// one stream), Chromium and Firefox watch, and change their minds all the time. Beside each of them is one who never does: what that one
// misses is the machine's doing.
//
// SHORT=1: fewer codecs, fewer changes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { has, openBrowser, until } from './lib/browsers.mjs';

const WIDTH = 960, HEIGHT = 540, FPS = 15;      /* Chromium leaves out the highest of three layers of less */
const HOLD_MS = process.env.SHORT ? 1000 : 1500;
const SVC = mode => ({ encodings: [{ scalabilityMode: mode, maxBitrate: 1500000 }], svc: mode, names: ['spatial_layer', 'temporal_layer'] });
const CASES = {
  'VP8, three simulcast layers': {
    codec: 'vp8', names: ['substream', 'temporal'], viewers: ['chromium', 'firefox'],
    encodings: [{ rid: 'h', maxBitrate: 1200000 }, { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500000 }, { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 200000 }]
      .map(encoding => ({ ...encoding, scalabilityMode: 'L1T3' })),
  },
  'VP9, L3T3': { codec: 'vp9', ...SVC('L3T3'), viewers: ['chromium'], record: 'svc' },
  'VP9, L3T3_KEY': { codec: 'vp9', ...SVC('L3T3_KEY'), viewers: ['chromium', 'firefox'], long: true },
  'AV1, L3T3': { codec: 'av1', ...SVC('L3T3'), viewers: ['chromium'] },
  'AV1, L1T3': { codec: 'av1', ...SVC('L1T3'), viewers: ['chromium'], spatial: 1, long: true },
};
/* [spatial or substream, temporal]; all begin at [2, 2]. */
const STEPS = process.env.SHORT ? [[0, 2], [2, 2], [1, 0], [2, 2]] : [[0, 2], [2, 2], [1, 2], [2, 0], [2, 2], [0, 0], [2, 2], [1, 1], [0, 2], [1, 2], [2, 2]];

let server, pages, client, session;
const browsers = {};

before(async () => {
  server = await startServer({ name: 'browser-layers', rooms: { 'room-1234': { publishers: 20, videocodec: 'vp8,vp9,av1', bitrate: 4000000 } } });
  pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  browsers.chromium = await openBrowser('chromium', { camera: false });
  if (has.firefox)
    browsers.firefox = await openBrowser('firefox', { camera: false });
  client = await server.connect();
  session = await client.session();
});

after(async () => {
  for (const browser of Object.values(browsers))
    await browser.close();
  client?.close();
  await pages?.close();
  await server?.stop();
});

const open = kind => browsers[kind].page(`http://localhost:${pages.port}/layers.html`);
const call = (page, fn, ...args) => page.evaluate((n, a) => window.layers[n](...a), fn, args);
const connected = (page, name) => until('the PeerConnection is up', async () => await call(page, 'state', name) === 'connected', 15000);

async function publish(feed, { codec, encodings, svc, record }) {
  const page = await open('chromium'), handle = await session.attach('janus.plugin.videoroom');
  await handle.message({ request: 'join', room: 1234, ptype: 'publisher', id: feed });
  const offer = await call(page, 'publish', 'own', { width: WIDTH, height: HEIGHT, fps: FPS, codec, encodings });
  const { jsep, data } = await handle.message({ request: 'publish', videocodec: codec, ...(record && { record: true, filename: join(server.dir, record) }) }, { ...offer, ...(svc && { svc: [{ mindex: 0, svc }] }) });
  assert.equal(data.streams[0][svc ? 'svc' : 'simulcast'], true, JSON.stringify(data));
  await call(page, 'take', 'own', jsep);
  await connected(page, 'own');
  return { page, handles: [handle] };
}

async function subscribe(page, name, feed, more) {
  const handle = await session.attach('janus.plugin.videoroom');
  const { jsep } = await handle.message({ request: 'join', room: 1234, ptype: 'subscriber', streams: [{ feed, mid: '0', ...more }] });
  await handle.message({ request: 'start' }, await call(page, 'watch', name, jsep));
  await connected(page, name);
  return handle;
}

/* Two viewers in one page: one who changes its mind, and one who does not. */
async function watch(kind, feed, names) {
  const page = await open(kind), still = await subscribe(page, 'still', feed, { [names[0]]: 0 }), handle = await subscribe(page, 'moving', feed, {});
  return { kind, page, handle, handles: [still, handle] };
}

/* A browser's encoder may round a layer's size up. */
const isLayer = (stats, layer) => Math.abs(stats.height - HEIGHT / 2 ** (2 - layer)) <= 8;

/* The longest that nothing new was shown between two times. */
const longest = (frames, from, to) => [...frames.map(([at]) => at), to].reduce(([most, last], at) => [Math.max(most, at - last), at], [0, from])[0];

/* How long a step may stand still: three frames of the lower rate and what a keyframe takes, and twice what the machine did to the viewer
 * beside it. */
const bound = (temporal, noise) => 3 * (1000 / FPS) * 2 ** (2 - temporal) + 800 + 2 * noise;

async function step({ kind, page, handle }, { names, spatial: top }, [spatial, temporal], before) {
  const from = await call(page, 'now');
  await handle.message({ request: 'configure', [names[0]]: spatial, [names[1]]: temporal });
  await until(`it decodes ${names[0]} ${spatial}`, async () => isLayer(await call(page, 'stats', 'moving'), top === 1 ? 2 : spatial), 10000, 50);
  await sleep(HOLD_MS);
  const to = await call(page, 'now'), frames = await call(page, 'taken', 'moving');
  const gap = Math.round(longest(frames, from, to)), noise = Math.round(longest(await call(page, 'taken', 'still'), from, to));
  return { kind, step: `${spatial}/${temporal}`, frames: frames.length, gap, noise, most: Math.round(bound(Math.min(temporal, before), noise)) };
}

/* What the server says it relays now, from all its events so far. */
function told(handle, names) {
  const now = {};
  for (const { plugindata } of client.inbox.filter(m => m.sender === handle.id && m.janus === 'event'))
    for (const name of names)
      now[name] = plugindata.data[name] ?? now[name];
  return names.map(name => now[name]);
}

/* All layers are in the file. Of each picture FFmpeg decodes the lowest: janus-pp-rec writes no index of the layers in it. */
function plays(name) {
  const file = readdirSync(server.dir).find(f => f.startsWith(`${name}-video`) && f.endsWith('.mjr')), out = join(server.dir, `${name}.webm`);
  execFileSync('janus-pp-rec', [join(server.dir, file), out], { stdio: 'ignore' });
  const { frames } = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'frame=height,pict_type', '-of', 'json', out], { encoding: 'utf8' }));
  console.log(`    the recording: ${frames.length} pictures, the first ${frames[0]?.pict_type}`);
  assert.equal(frames[0].pict_type, 'I');
  assert.ok(frames.length > 2 * FPS, `${frames.length} pictures`);
}

let feed = 0;
for (const [name, options] of Object.entries(CASES))
  test(name, { skip: process.env.SHORT && options.long && 'left out of the short form' }, async t => {
    const { names } = options;
    const publisher = await publish(++feed, options);
    const viewers = await Promise.all(options.viewers.filter(kind => browsers[kind]).map(kind => watch(kind, feed, names)));
    for (const { page } of viewers)
      await until('the highest layer is seen', async () => isLayer(await call(page, 'stats', 'moving'), 2), 20000);
    await sleep(1000);

    const plis = () => Promise.all(viewers.map(async ({ page }) => (await call(page, 'stats', 'moving')).plis)), first = await plis();
    await Promise.all(viewers.flatMap(({ page }) => ['still', 'moving'].map(who => call(page, 'taken', who))));
    const results = [];
    let before = 2;
    for (const change of STEPS) {
      results.push(...await Promise.all(viewers.map(viewer => step(viewer, options, change, before))));
      before = change[1];
    }
    t.diagnostic(results.map(r => `${r.kind[0]} ${r.step}: ${r.frames} frames, ${r.gap} ms (${r.noise})`).join('; '));
    assert.deepEqual(results.filter(r => r.gap > r.most), [], 'stood still for too long');
    /* Whoever can't decode what comes asks for a keyframe. */
    assert.deepEqual(await plis(), first, 'asked for keyframes');
    for (const { kind, handle } of viewers)
      assert.deepEqual(told(handle, names), [options.spatial === 1 ? 0 : 2, 2], `${kind} is told what it gets`);
    for (const { page, handles } of [publisher, ...viewers]) {
      for (const handle of handles)
        await handle.detach();
      await page.close();
    }
    if (options.record && existsSync('/usr/bin/janus-pp-rec') && existsSync('/usr/bin/ffprobe')) {
      await sleep(1500);                      /* a recording reaches the disk within a second */
      plays(options.record);
    }
  });
