// Recordings of a real browser: every file that a room writes is accepted by janus-pp-rec and decoded by FFmpeg, whatever the codec;
// it begins with a keyframe and has as many frames as were sent.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, ROOT, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

const CODECS = { vp8: 'webm', vp9: 'webm', h264: 'mp4', av1: 'mp4' };
const RECORD_MS = 1500;
const skip = (IS_REFERENCE && 'the reference writes its own') || (!existsSync('/usr/bin/janus-pp-rec') && 'there is no janus-pp-rec here (Debian 13 has none)');

let server;
let browser;

const run = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const header = file => JSON.parse(run('janus-pp-rec', '-j', file));
/* {frames, first}: what FFmpeg decodes; `first`: the picture type of the first frame. */
function decode(file, stream) {
  const out = run('ffprobe', '-v', 'error', '-select_streams', stream, '-count_frames', '-show_entries', 'stream=nb_read_frames:frame=pict_type', '-of', 'json', file);
  const { streams, frames } = JSON.parse(out);
  return { frames: Number(streams[0].nb_read_frames), first: frames[0]?.pict_type };
}

before(async () => {
  if (skip)
    return;
  const rooms = {};
  Object.keys(CODECS).forEach((codec, i) => { rooms[`room-${i + 1}`] = { description: codec, publishers: 2, videocodec: codec, record: true, rec_dir: join('rec', codec), bitrate: 600000 }; });
  rooms['room-9'] = { description: 'data', record: true, rec_dir: join('rec', 'data') };
  server = await startServer({ name: 'browser-record', web: true, rooms });
  browser = await openBrowser('chromium');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('what a browser publishes is recorded and plays, in every codec', { skip }, async () => {
  const pages = {};
  for (const [i, codec] of Object.keys(CODECS).entries()) {
    pages[codec] = await browser.page(`${server.page}?autojoin=1&name=${codec}&room=${i + 1}`);
    await until(`${codec} is published`, async () => (await report(pages[codec]))?.phase === 'joined');
    await sleep(RECORD_MS);
    await pages[codec].close();
  }
  await sleep(500);
  for (const [codec, extension] of Object.entries(CODECS)) {
    const folder = join(server.dir, 'rec', codec);
    const files = readdirSync(folder).sort();
    const audio = join(folder, files.find(f => /-audio-\d+\.mjr$/.test(f))), video = join(folder, files.find(f => /-video-\d+\.mjr$/.test(f)));
    assert.equal(files.length, 2, files.join());
    assert.match(files[0], /^videoroom-\d+-user-\d+-\d{16}-audio-\d\.mjr$/);
    assert.equal(header(audio).c, 'opus');
    assert.equal(header(video).c, codec);
    const sound = `${audio}.opus`, picture = `${video}.${extension}`;
    run('janus-pp-rec', audio, sound);
    run('janus-pp-rec', video, picture);
    assert.ok(existsSync(sound) && existsSync(picture), 'pp-rec writes both');
    const heard = decode(sound, 'a:0'), seen = decode(picture, 'v:0');
    console.log(`    ${codec}: ${seen.frames} pictures, the first ${seen.first}; ${heard.frames} frames of sound`);
    assert.ok(heard.frames > RECORD_MS / 20 / 2, `${heard.frames} frames of sound`);
    assert.ok(seen.frames > RECORD_MS / 1000 * 5, `${seen.frames} pictures`);
    assert.equal(seen.first, 'I');
  }
});

test('a file that is being written can be read already', { skip }, async () => {
  const page = await browser.page(`${server.page}?autojoin=1&name=live&room=1`);
  await until('it is published', async () => (await report(page))?.phase === 'joined');
  await sleep(1500);
  const folder = join(server.dir, 'rec', 'vp8');
  const newest = readdirSync(folder).filter(f => /-video-\d+\.mjr$/.test(f)).sort((a, b) => Number(/(\d{16})/.exec(a)[1]) - Number(/(\d{16})/.exec(b)[1])).pop();
  run('janus-pp-rec', join(folder, newest), join(folder, 'live.webm'));
  assert.ok(decode(join(folder, 'live.webm'), 'v:0').frames > 0);
  assert.equal(readFileSync(join(folder, newest)).subarray(0, 8).toString(), 'MJR00002');
  await page.close();
});

test('what is said on a data channel is recorded, and janus-pp-rec makes subtitles of it', { skip }, async () => {
  const pages = await serveFolder(join(ROOT, 'tests/browser/pages')), client = await server.connect();
  const page = await browser.page(`http://localhost:${pages.port}/data.html`);
  const call = (name, ...args) => page.evaluate((n, a) => window.data[n](...a), name, args);
  const handle = await (await client.session()).attach('janus.plugin.videoroom');
  await call('open');
  await call('channel', 'JanusDataChannel', {});
  await handle.message({ request: 'join', ptype: 'publisher', room: 9, id: 1 });
  const { jsep } = await handle.message({ request: 'publish' }, await call('offer'));
  await call('take', jsep);
  await until('the channel is open', () => call('isOpen', 'JanusDataChannel'), 15000, 50);
  for (const text of ['first words', 'h\u00e9llo \u{1f642}', 'l'.repeat(60000)]) {
    await page.evaluate(t => window.data.channels.get('JanusDataChannel').channel.send(t), text);
    await sleep(50);
  }
  await sleep(300);
  await handle.message({ request: 'unpublish' });
  await sleep(300);
  const folder = join(server.dir, 'rec', 'data');
  const [file, ...more] = readdirSync(folder).filter(f => /-data-\d+\.mjr$/.test(f));
  assert.deepEqual(more, []);
  assert.equal(header(join(folder, file)).t, 'd');
  run('janus-pp-rec', join(folder, file), join(folder, 'said.srt'));
  const said = readFileSync(join(folder, 'said.srt'), 'utf8');
  for (const text of ['first words', 'h\u00e9llo \u{1f642}', 'l'.repeat(1000)])
    assert.ok(said.includes(text), text.slice(0, 20));
  await page.close();
  await client.close();
  await pages.close();
});
