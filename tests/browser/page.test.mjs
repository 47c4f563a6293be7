// The pages themselves, without a call: they load without a complaint, fit a phone's screen, and say what is wrong.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { IS_REFERENCE, freePort, startServer } from '../api/lib/server.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

let server;
let browser;
let denied;

before(async () => {
  server = await startServer({ name: 'browser-page', web: true, rooms: { 'room-1234': { publishers: 6 }, 'room-77': { pin: 'abc', publishers: 6 } } });
  browser = await openBrowser('chromium');
  denied = await openBrowser('chromium', { camera: false });
});

after(async () => {
  await browser?.close();
  await denied?.close();
  await server?.stop();
});

const url = (query, path = '') => `${server.page}${path}?${server.query ? `${server.query}&` : ''}${query}`;
const text = (page, selector) => page.evaluate(s => document.querySelector(s)?.textContent.trim(), selector);

test('both pages load, link to each other, and no resource is missing', async () => {
  const page = await browser.page(url(''));
  assert.match(await page.title(), /Cardea/);
  await page.evaluate(() => document.querySelector('nav a:not([aria-current])').click());
  await until('the echo page', async () => /Echo/.test(await page.title()));
  await until('its script', async () => (await report(page))?.phase === 'idle');
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('nothing is wider than a phone, in the lobby, in the room and on the echo page', async () => {
  for (const [path, query] of [['', ''], ['', 'autojoin=1&name=Phone'], ['echotest.html', '']]) {
    const page = await browser.page('about:blank');
    await page.setViewport({ width: 360, height: 740, isMobile: true, hasTouch: true });
    await page.goto(url(query, path), { waitUntil: 'load' });
    if (query)
      await until('in the room', async () => (await report(page)).phase === 'joined');
    const { wide, small } = await page.evaluate(() => ({
      wide: [...document.querySelectorAll('body *')].filter(e => e.getClientRects().length > 0 && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.unseen'))
        .map(e => e.outerHTML.slice(0, 80)),
      small: [...document.querySelectorAll('button')].filter(e => e.getClientRects().length > 0 && e.getBoundingClientRect().height < 40).map(e => e.id || e.textContent),
    }));
    assert.deepEqual(wide, [], `${path}?${query}`);
    assert.deepEqual(small, [], 'too small for a finger');
    await page.close();
  }
});

test('every control has a name that a screen reader can say', async () => {
  for (const path of ['', 'echotest.html']) {
    const page = await browser.page(url('', path));
    const nameless = await page.evaluate(() => [...document.querySelectorAll('button, input, select, a')]
      .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')?.textContent.trim() || e.id === 'toast-action'))
      .map(e => e.outerHTML));
    assert.deepEqual(nameless, []);
    await page.close();
  }
});

test('a room that does not exist is named as the reason', async () => {
  const page = await browser.page(url('autojoin=1&room=4711'));
  await until('the complaint', async () => (await report(page)).error !== '');
  assert.match(await text(page, '#complaint'), /no such room/i);
  assert.equal((await report(page)).phase, 'lobby');
  await page.close();
});

test('a room with a PIN asks for it, refuses a wrong one and lets the right one in', async () => {
  for (const [pin, pattern] of [['', /PIN/], ['wrong', /PIN/], ['abc', null]]) {
    const page = await browser.page(url(`autojoin=1&room=77&pin=${pin}`));
    if (pattern) {
      await until('the complaint', async () => pattern.test((await report(page)).error));
    } else {
      await until('in the room', async () => (await report(page)).phase === 'joined');
    }
    await page.close();
  }
});

test('without a camera permission one can still watch, and is told why', async () => {
  const page = await denied.page(url('autojoin=1&name=Eve'));
  await until('in the room', async () => (await report(page)).phase === 'joined');
  assert.match(await text(page, '#toast-text'), /not allowed|watch/i);
  await page.close();
});

test('a server that is away is named, and the page comes back when it does', { skip: IS_REFERENCE && 'the page is not served by the reference' }, async () => {
  const port = await freePort();
  const other = await startServer({ name: 'browser-page-away', web: true, port, rooms: { 'room-1234': { publishers: 6 } } });
  const page = await browser.page(`http://localhost:${port}/?autojoin=1&name=Back`);
  await until('in the room', async () => (await report(page)).phase === 'joined');
  await other.stop();
  await until('it notices', async () => (await report(page)).phase === 'reconnecting');
  const again = await startServer({ name: 'browser-page-away', web: true, port, rooms: { 'room-1234': { publishers: 6 } } });
  await until('it is back', async () => (await report(page)).phase === 'joined', 30000);
  await page.close();
  await again.stop();
});
