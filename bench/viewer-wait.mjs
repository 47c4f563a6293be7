// How long a viewer waits for a picture: Chromium and stock janus.js, from the request to join a running publisher until
// the first decoded frame.
//
//   node bench/viewer-wait.mjs [--joins 21] [--rounds 3] [--mdns] [--json]
//       the server and Debian's `janus` (package janus), in turns, `rounds` times each; together `joins` joins each
//   node bench/viewer-wait.mjs --one [--joins 7]
//       one server: CARDEA_BIN (default build/release/cardea)
//
// --mdns: Chromium hides its addresses behind .local names, as it does for a page that has no camera permission.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values: options } = parseArgs({ options: {
  one: { type: 'boolean', default: false }, joins: { type: 'string', default: '21' }, rounds: { type: 'string', default: '3' },
  mdns: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
} });
const SERVERS = { cardea: process.env.CARDEA_BIN ?? join(ROOT, 'build/release/cardea'), janus: process.env.JANUS_BIN ?? '/usr/bin/janus' };

const sorted = values => [...values].sort((a, b) => a - b);
const share = (values, q) => sorted(values)[Math.min(values.length - 1, Math.ceil(q * values.length) - 1)];

function pagesFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-wait-'));
  const modules = join(ROOT, 'node_modules');
  mkdirSync(join(folder, 'vendor'));
  cpSync(join(ROOT, 'bench/viewer-wait.html'), join(folder, 'index.html'));
  cpSync(join(modules, 'janus-gateway/npm/dist/janus.es.js'), join(folder, 'vendor/janus.js'));
  cpSync(join(modules, 'webrtc-adapter/out/adapter.js'), join(folder, 'vendor/adapter.js'));
  return folder;
}

async function one(joins) {
  const { startServer } = await import('../tests/api/lib/server.mjs');
  const { serveFolder } = await import('../tests/api/lib/static.mjs');
  const { openBrowser } = await import('../tests/browser/lib/browsers.mjs');
  const folder = pagesFolder();
  const web = await serveFolder(folder);
  const server = await startServer({ name: 'viewer-wait', rooms: { 'room-1234': { description: 'Wait', publishers: 4, videocodec: 'vp8', bitrate: 1500000 } } });
  const browser = await openBrowser('chromium', { args: options.mdns ? [] : ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
  const results = [];
  try {
    const open = async () => {
      const page = await browser.page(`http://localhost:${web.port}/index.html?server=${encodeURIComponent(server.ws)}`);
      await page.waitForFunction('window.ready');
      return page;
    };
    const publisher = await open();
    const feed = await publisher.evaluate(() => window.bench.publish());
    const viewer = await open();
    await viewer.evaluate(() => window.bench.connect());
    await sleep(3000);                               /* the publisher's rate has settled */
    await viewer.evaluate(id => window.bench.watch(id), feed);      /* not counted: the page's first */
    for (let i = 0; i < joins; i++) {
      await sleep(400 + Math.random() * 550);
      results.push(await viewer.evaluate(id => window.bench.watch(id), feed));
    }
  } finally {
    await browser.close();
    await server.stop().catch(error => { process.stderr.write(`${error.message}\n`); });
    await web.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

function inTurns(joins, rounds) {
  const all = { cardea: [], janus: [] };
  for (let round = 0; round < rounds; round++)
    for (const [name, bin] of Object.entries(SERVERS)) {
      if (!existsSync(bin))
        throw new Error(`${bin} does not exist`);
      const args = [fileURLToPath(import.meta.url), '--one', '--json', '--joins', String(Math.ceil(joins / rounds)), ...(options.mdns ? ['--mdns'] : [])];
      const child = spawnSync(process.execPath, args, { env: { ...process.env, CARDEA_BIN: bin }, encoding: 'utf8', timeout: 180000 });
      if (child.status !== 0)
        throw new Error(`${name}, round ${round + 1}: ${child.stderr}${child.error ?? ''}`);
      all[name].push(...JSON.parse(child.stdout));
    }
  return all;
}

function summary(results) {
  const steps = {};
  for (const name of ['offer', 'answer', 'up', 'frame'])
    steps[name] = share(results.map(r => r.steps[name] ?? NaN).filter(Number.isFinite), 0.5);
  const waits = results.map(r => r.wait);
  return { joins: waits.length, p50: share(waits, 0.5), p90: share(waits, 0.9), min: Math.min(...waits), max: Math.max(...waits), steps };
}

if (options.one) {
  const results = await one(Number(options.joins));
  process.stdout.write(options.json ? JSON.stringify(results) : `${JSON.stringify(summary(results), null, 1)}\n`);
} else {
  const all = inTurns(Number(options.joins), Number(options.rounds));
  const cardea = summary(all.cardea), janus = summary(all.janus);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ cardea, janus, ratio: cardea.p50 / janus.p50 })}\n`);
  } else {
    for (const [name, s] of Object.entries({ cardea, janus }))
      console.log(`${name.padEnd(7)} p50 ${s.p50.toFixed(0)} ms  p90 ${s.p90.toFixed(0)} ms  (${s.min.toFixed(0)} to ${s.max.toFixed(0)}, ${s.joins} joins)  ` +
        Object.entries(s.steps).map(([k, v]) => `${k} ${v?.toFixed(0)}`).join('  '));
    console.log(`ratio of the medians: ${(cardea.p50 / janus.p50).toFixed(2)}`);
  }
}
process.exit(0);
