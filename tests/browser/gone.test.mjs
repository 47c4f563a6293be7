// A browser that is frozen while its session may live for long: its PeerConnection is gone within 35 s all the same, since
// the server asks for consent (RFC 7675) and gets none.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { IS_REFERENCE, startServer } from '../api/lib/server.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

let server;
let frozen;
let witness;

before(async () => {
  server = await startServer({
    name: 'browser-gone', web: true, rooms: { 'room-1234': { publishers: 6, videocodec: 'vp8' } },
    core: { general: { session_timeout: 300 }, ...(IS_REFERENCE && { nat: { ice_consent_freshness: true } }) },
  });
  frozen = await openBrowser('chromium');
  witness = await openBrowser('chromium');
});

after(async () => {
  await frozen?.close();
  await witness?.close();
  await server?.stop();
});

test('the PeerConnection of a frozen browser ends within 35 s, its session still alive', async () => {
  const url = name => `${server.page}?${server.query ? `${server.query}&` : ''}autojoin=1&name=${name}`;
  const page = await witness.page(url('witness'));
  await frozen.page(url('frozen'));
  await until('both are connected', async () => (await report(page)).tiles.some(t => !t.own && t.video?.framesDecoded > 0));
  frozen.stop();
  const began = Date.now();
  await until('the picture is taken away', async () => {
    const r = await report(page);
    return r.tiles.every(t => t.own) && r.people.some(p => p.name === 'frozen' && p.streams === 0);
  }, 60000, 250);
  assert.ok(Date.now() - began <= 35000, `took ${Date.now() - began} ms`);
});
