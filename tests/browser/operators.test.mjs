// The operators' page in a real browser, with a real call running: what it shows is true, what clients chose is text, and the buttons do
// what they say (docs/OPERATORS.md, The operators' page).
//
//   OPERATORS_SHOT=docs/operators.png node --test tests/browser/operators.test.mjs      makes the picture of the docs

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { jcfg } from '../api/lib/jcfg.mjs';
import { parseMetrics } from '../api/lib/metrics.mjs';
import { freePort, IS_REFERENCE, startServer } from '../api/lib/server.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

const skip = { skip: IS_REFERENCE && 'beyond the reference' };
const SECRET = 'browser-admin-secret', MARKUP = '<img src=x onerror="document.title=\'taken over\'">';
const SHOT = process.env.OPERATORS_SHOT;

let server, browser, page, adminPort;
const people = {};

const scrape = async () => parseMetrics(await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text());
const value = (families, name, labels) => families.samples.find(s => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v))?.value ?? 0;
const text = selector => page.$eval(selector, node => node.textContent);
const figure = name => page.$$eval('.figure', (nodes, wanted) => nodes.find(n => n.querySelector('span').textContent === wanted)?.querySelector('b').textContent, name);
/* The handles as the page shows them: [{what, state, streams, rates: [in, out]}] */
const handles = () => page.$$eval('.handle', nodes => nodes.map(n => ({
  id: n.dataset.handle, what: n.querySelector('.what').textContent, state: n.querySelector('.tag').textContent, streams: n.querySelectorAll('.stream').length,
  keys: [...n.querySelectorAll('.stream .key b')].map(b => b.textContent), layers: n.querySelectorAll('.layers .tag').length,
})));

before(async () => {
  if (IS_REFERENCE)
    return;
  adminPort = await freePort();
  server = await startServer({
    name: 'browser-operators', web: true, core: { general: { admin_secret: SECRET } },
    rooms: { 'room-1234': { description: 'Weekly meeting', publishers: 20, videocodec: 'vp8', bitrate: 1000000 }, 'room-5': { description: SHOT ? 'Reading circle' : MARKUP } },
    files: { 'janus.transport.http.jcfg': jcfg({ general: { http: false }, admin: { admin_http: true, admin_ip: '127.0.0.1', admin_port: adminPort } }) },
  });
  browser = await openBrowser('chromium', { args: SHOT ? ['--window-size=1440,1500'] : [] });
  for (const name of ['ada', 'ben'])
    people[name] = await browser.page(`${server.page}?autojoin=1&simulcast=${name === 'ada' ? 1 : 0}&name=${name}`);
  for (const page of Object.values(people))
    await until('both see each other', async () => (await report(page))?.tiles?.some(t => !t.own && (t.video?.framesDecoded ?? 0) > 0), 40000);
  page = await browser.page(`http://127.0.0.1:${adminPort}/operators/`);
  await page.setViewport({ width: 1440, height: 1500, deviceScaleFactor: 1 });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const comeIn = async secret => {
  await page.waitForSelector('#door:not([hidden])');
  await page.type('#secret', secret);
  await page.click('#enter button');
};

test('a wrong secret stays outside, the right one comes in', skip, async () => {
  await comeIn('wrong');
  await until('it is refused', () => text('#refused').then(t => /not the right one/.test(t)));
  assert.equal(await page.$eval('#desk', node => node.hidden), true);
  await comeIn(SECRET);
  await page.waitForSelector('#desk:not([hidden])');
  await until('the status is shown', () => text('#status').then(t => t === 'Taking sessions'));
  assert.deepEqual(await page.evaluate(() => [Object.keys(sessionStorage), Object.keys(localStorage), document.cookie]), [['cardea.admin_secret'], [], '']);
});

test('figures, actors, rooms and the log are those of the server', skip, async () => {
  await until('three PeerConnections each', async () => await figure('PeerConnections') === '6');
  assert.equal(await figure('Sessions'), '2');
  await until('media flows', async () => /Mbit|[1-9]\d+ kbit/.test(await figure('Media out')));
  await until('actors are measured', () => page.$$eval('#actors tr', rows => rows.some(r => r.cells[0].textContent === 'control' && /%/.test(r.cells[1].textContent))));
  await until('the room and who is in it', () => page.$$eval('#rooms tr', rows => rows.some(r => r.cells[0].textContent === '1234' && r.cells[3].textContent === '2')));
  await until('the log', () => page.$$eval('#log li', lines => lines.some(l => /Plugin janus\.plugin\.videoroom started/.test(l.textContent))));
  assert.ok(!(await text('#log')).includes(SECRET));
});

test('what clients chose is text', { skip: skip.skip || (SHOT && 'the picture has a room with a better name') }, async () => {
  const client = await server.connect();
  const session = await client.session();
  await client.request({ janus: 'attach', session_id: session.id, plugin: 'janus.plugin.echotest', opaque_id: MARKUP });
  await until('the markup is shown as what it is', async () => (await page.$$eval('#rooms td', cells => cells.some(c => c.textContent.includes('onerror')))));
  await until('the handle is there', async () => (await page.$$('.session')).length === 3);
  await sleep(1200);
  assert.equal(await page.title(), 'Operators · Cardea');
  assert.equal(await page.$$eval('.desk img', nodes => nodes.length), 0);
  client.close();
});

test('streams, with their rates, and a button that hangs up', skip, async () => {
  const shown = await until('every call is shown with its streams', async () => {
    const all = await handles();
    return all.length === 6 && all.every(h => h.state === 'connected' && h.streams >= 1 && h.keys.some(k => /bit/.test(k))) && all;
  }, 40000);
  assert.ok(shown.some(h => h.layers > 1), 'simulcast layers are told apart');
  if (SHOT) {
    await sleep(45000);
    await page.screenshot({ path: SHOT, fullPage: true });
  }
  const closed = value(await scrape(), 'cardea_peerconnections_total', { what: 'closed' });
  const publisher = shown.find(h => h.layers > 1).id;
  await page.$eval(`.handle[data-handle="${publisher}"] .right button`, button => button.click());
  await page.waitForSelector('#ask[open]');
  await page.click('#ask-yes');
  await until('the call is over', async () => value(await scrape(), 'cardea_peerconnections_total', { what: 'closed' }) === closed + 1);
  assert.deepEqual(page.complaints.filter(c => !/401|403/.test(c)), []);
});

test('leaving forgets the secret', skip, async () => {
  await Promise.all([page.waitForNavigation(), page.click('#leave')]);
  await page.waitForSelector('#door:not([hidden])');
  assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), []);
});
