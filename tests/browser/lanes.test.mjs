// Several workers, and every PeerConnection on any of them: most media crosses a relay lane. Placement is policy only, so
// everything must look as it does with one worker.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { IS_REFERENCE, startServer } from '../api/lib/server.mjs';
import { openBrowser, report, until, watch } from './lib/browsers.mjs';

const NAMES = ['ada', 'ben', 'cleo'];
const WATCH_MS = process.env.SHORT ? 6000 : 20000;
const skip = IS_REFERENCE && 'the reference has no workers';

let server;
let browser;
const pages = {};

before(async () => {
  if (skip)
    return;
  server = await startServer({
    name: 'browser-lanes', web: true, core: { general: { workers: 4, placement: 'random' } },
    rooms: { 'room-1234': { description: 'Test', publishers: 20, videocodec: 'vp8' } },
  });
  browser = await openBrowser('chromium');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const sees = (page, count) => until(`sees ${count} others`, async () => {
  const r = await report(page);
  return r?.phase === 'joined' && r.tiles.filter(t => !t.own && (t.video?.framesDecoded ?? 0) > 0).length === count;
}, 40000);

test('three in a room see and hear each other over the lanes between four workers', { skip }, async () => {
  for (const name of NAMES)
    pages[name] = await browser.page(`${server.page}?autojoin=1&stats=1&name=${name}`);
  for (const name of NAMES)
    await sees(pages[name], 2);
  const results = await Promise.all(NAMES.map(label => watch(pages[label], { ms: WATCH_MS, people: 2, label })));
  assert.deepEqual(results.flatMap(result => result.problems), []);
});

test('who reloads is placed anew, and all see it again', { skip }, async () => {
  for (let round = 0; round < 3; round++) {
    await pages.ben.reload({ waitUntil: 'load' });
    for (const name of NAMES)
      await sees(pages[name], 2);
  }
});
