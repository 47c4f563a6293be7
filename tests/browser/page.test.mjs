// The pages themselves, without a call: they load without a complaint, fit a phone's screen, and say what is wrong.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { IS_REFERENCE, freePort, startServer } from '../api/lib/server.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

let server;
let browser;
let denied;

before(async () => {
  server = await startServer({ name: 'browser-page', web: true, rooms: { 'room-1234': { publishers: 6 }, 'room-77': { pin: 'abc', publishers: 6 } },
    textrooms: { 'room-1234': { history: 10 } } });
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
  for (const [path, query] of [['', ''], ['', 'autojoin=1&name=Phone'], ['', 'autojoin=1&name=Phone&chat=1'], ['echotest.html', '']]) {
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

/* ---- the chat ---- */

const chat = async page => (await report(page))?.chat;
const write = (page, words) => page.evaluate(w => {
  document.getElementById('chat-text').value = w;
  document.getElementById('chat-form').requestSubmit();
}, words);

async function talker(name, query = '') {
  const page = await browser.page(url(`autojoin=1&viewer=1&name=${name}${query}`));
  await until(`${name} is in the chat`, async () => (await chat(page))?.open);
  return page;
}

async function two() {
  const ann = await talker('Ann', '&chat=1'), ben = await talker('Ben', '&chat=1');
  await until('they see each other', async () => (await chat(ann)).people.join() === 'Ben' && (await chat(ben)).people.join() === 'Ann');
  return { ann, ben };
}

test('a chat: what is written is read by all, kept for who comes later, never taken for HTML, and counted while it is not looked at', async () => {
  const ann = await talker('Ann', '&chat=1');
  await write(ann, '<img src=x onerror="document.title=1"> & "quotes" \u00e4\ud83d\ude42');
  await until('it is shown', async () => (await chat(ann)).lines.length === 1);
  const ben = await talker('Ben');
  assert.deepEqual((await chat(ben)).lines.map(({ name, old }) => ({ name, old })), [{ name: 'Ann', old: true }]);
  await until('Ann sees Ben', async () => (await chat(ann)).people.join() === 'Ben');
  assert.equal((await chat(ben)).unread, 0);
  await write(ann, 'Hello Ben');
  await until('Ben is told', async () => (await chat(ben)).unread === 1);
  assert.equal(await text(ben, '#chat-unread'), '1');
  await ben.evaluate(() => document.getElementById('chat-toggle').click());
  assert.equal((await chat(ben)).unread, 0);
  assert.deepEqual(await ben.evaluate(() => [...document.querySelectorAll('#chat-lines .text')].map(e => e.textContent)),
    ['<img src=x onerror="document.title=1"> & "quotes" \u00e4\ud83d\ude42', 'Hello Ben']);
  await write(ben, 'Hello Ann');
  await until('Ann reads it', async () => (await chat(ann)).lines.at(-1).text === 'Hello Ann');
  await ben.close();
  await until('Ben has left', async () => (await chat(ann)).people.length === 0);
  assert.deepEqual(ann.complaints, []);
  await ann.close();
});

test('a file is offered, taken with a progress bar on both sides, and is the same', async () => {
  const SIZE = 2_000_000;
  const { ann, ben } = await two();
  const digest = await ann.evaluate(async size => {
    const bytes = new Uint8Array(size).map((_, i) => i * 7 + (i >> 8));
    await window.cardea.chat.send(new File([bytes], 'a plan.bin'));
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join();
  }, SIZE);
  await until('it is offered', async () => (await chat(ben)).files.length === 1);
  assert.equal((await chat(ben)).files[0].received, 0);
  assert.equal(await text(ben, '.said.file .name'), 'a plan.bin');
  await ben.evaluate(() => {
    window.seen = [];
    new MutationObserver(() => window.seen.push(document.querySelector('.said.file progress').value)).observe(document.querySelector('.said.file'), { subtree: true, childList: true, characterData: true, attributes: true });
    document.querySelector('.said.file button').click();
  });
  await until('it has come', async () => (await chat(ben)).files[0].state === 'done', 30000);
  await until('Ann knows', async () => (await chat(ann)).uploads[0].state === 'done');
  const { got, name, seen } = await ben.evaluate(async () => {
    const [file] = [...window.cardea.chat.files.files.values()];
    const link = document.querySelector('.said.file a');
    return { got: [...new Uint8Array(await crypto.subtle.digest('SHA-256', await file.blob.arrayBuffer()))].join(), name: link.download, seen: window.seen };
  });
  assert.equal(got, digest);
  assert.equal(name, 'a plan.bin');
  assert.ok(seen.filter(value => value > 0 && value < SIZE).length > 5, 'the bar moved');
  assert.match(await text(ann, '.said.file'), /Ben has it/);
  await ann.close();
  await ben.close();
});

test('a file whose sender leaves half way is given up', async () => {
  const { ann, ben } = await two();
  await ann.evaluate(() => window.cardea.chat.send(new File([new Uint8Array(60_000_000)], 'long.bin')));
  await until('it is offered', async () => (await chat(ben)).files.length === 1);
  await ben.evaluate(() => document.querySelector('.said.file button').click());
  await until('it comes', async () => (await chat(ben)).files[0].received > 0, 20000, 20);
  await ann.close();
  await until('it has failed', async () => (await chat(ben)).files[0].state === 'failed');
  assert.match(await text(ben, '.said.file .state'), /did not come/);
  await ben.close();
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
