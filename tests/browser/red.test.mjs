// Redundant audio (RFC 2198) of a real browser: Chromium publishes RED, is heard, and its recording is accepted by janus-pp-rec and
// decoded by FFmpeg.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { openBrowser, received, until } from './lib/browsers.mjs';

const skip = (IS_REFERENCE && 'the reference records no RED') || (!existsSync('/usr/bin/janus-pp-rec') && 'there is no janus-pp-rec here (Debian 13 has none)');
const RECORD_MS = 2500;
let server, client, pages, browser;

before(async () => {
  if (skip)
    return;
  server = await startServer({ name: 'browser-red', rooms: { 'room-1': { publishers: 2, audiocodec: 'red,opus', record: true, rec_dir: 'rec' } } });
  pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  browser = await openBrowser('chromium');
  client = await server.connect();
});

after(async () => {
  client?.close();
  await browser?.close();
  await pages?.close();
  await server?.stop();
});

const call = (page, name, ...args) => page.evaluate((n, a) => window.data[n](...a), name, args);
const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

async function openPage() {
  const page = await browser.page(`http://localhost:${pages.port}/data.html`);
  await call(page, 'open');
  return page;
}

/* The payload types of a recording's frames (recording.md 1), with how many of each. Statistics of the browser call both Opus. */
function types(file) {
  const bytes = readFileSync(file), count = {};
  for (let at = 10 + bytes.readUInt16BE(8); at + 10 < bytes.length; at += 10 + bytes.readUInt16BE(at + 8))
    count[bytes[at + 11] & 127] = (count[bytes[at + 11] & 127] ?? 0) + 1;
  return count;
}

test('RED is published, heard, recorded, and plays', { skip }, async () => {
  const session = await client.session();
  const handle = await session.attach('janus.plugin.videoroom'), watcher = await session.attach('janus.plugin.videoroom');
  const page = await openPage(), viewer = await openPage();
  await call(page, 'addMedia');
  await handle.message({ request: 'join', ptype: 'publisher', room: 1, id: 7 });
  const { jsep, data } = await handle.message({ request: 'publish' }, await call(page, 'offer'));
  assert.equal(data.audio_codec, 'red', JSON.stringify(data));
  await call(page, 'take', jsep);
  await until('it is announced', async () => (await handle.sync({ request: 'listparticipants', room: 1 })).participants[0].publisher);
  const offered = await watcher.message({ request: 'join', ptype: 'subscriber', room: 1, streams: [{ feed: 7, mid: '0' }] });
  assert.match(offered.jsep.sdp, /a=rtpmap:120 red\/48000\/2/i);
  await watcher.message({ request: 'start' }, await call(viewer, 'answer', offered.jsep));
  await until('it is heard', async () => Object.values(await received(viewer)).some(s => s.kind === 'audio' && s.energy > 0));
  await sleep(RECORD_MS);
  await handle.message({ request: 'unpublish' });
  await sleep(500);
  const folder = join(server.dir, 'rec'), audio = join(folder, readdirSync(folder).find(f => /-audio-0\.mjr$/.test(f)));
  const header = JSON.parse(run('janus-pp-rec', '-j', audio));
  assert.deepEqual([header.t, header.c, header.or], ['a', 'opus', 120]);
  const count = types(audio);
  assert.ok(count[120] > RECORD_MS / 20 / 2, JSON.stringify(count));
  run('janus-pp-rec', audio, `${audio}.opus`);
  const { streams } = JSON.parse(run('ffprobe', '-v', 'error', '-count_frames', '-show_entries', 'stream=codec_name,nb_read_frames', '-of', 'json', `${audio}.opus`));
  console.log(`    ${JSON.stringify(count)} frames by payload type; ${streams[0].nb_read_frames} frames of ${streams[0].codec_name}`);
  assert.equal(streams[0].codec_name, 'opus');
  assert.ok(Number(streams[0].nb_read_frames) > RECORD_MS / 20 / 2);
});
