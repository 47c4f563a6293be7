// Takes docs/room.png from the running page: three Chromium in a room, each with a camera of its own (a file of drawn frames),
// and a chat beside them, so a change of the pages can be shown again. Needs what ./test browser needs.
//
//   node scripts/picture.mjs [TARGET]

import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { ROOT, startServer } from '../tests/api/lib/server.mjs';
import { openBrowser, report, until } from '../tests/browser/lib/browsers.mjs';

const TARGET = process.argv[2] ?? join(ROOT, 'docs/room.png');
const WIDTH = 640, HEIGHT = 360, FRAMES = 45;
const PEOPLE = [{ name: 'Ada', u: 150, v: 96 }, { name: 'Ben', u: 108, v: 170 }, { name: 'Cleo', u: 108, v: 104 }];

const TALK = [[1, 'Good morning! Can you hear me?'], [0, 'Loud and clear.'], [2, 'I have the drawings, one moment.']];

/* A camera for Chromium: a y4m of somebody's outline who nods, before a wall of one colour (u, v). */
function drawCamera(path, { u, v }, turn) {
  const file = openSync(path, 'w');
  writeSync(file, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F15:1 Ip A1:1 C420jpeg\n`);
  for (let f = 0; f < FRAMES; f++) {
    const luma = Buffer.alloc(WIDTH * HEIGHT), nod = Math.sin((f / FRAMES + turn) * 2 * Math.PI);
    const chroma = [Buffer.alloc(WIDTH * HEIGHT / 4), Buffer.alloc(WIDTH * HEIGHT / 4)];
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        const head = ((x - 320 - 10 * nod) / 62) ** 2 + ((y - 150 - 4 * nod) / 78) ** 2, body = ((x - 320) / 150) ** 2 + ((y - 370) / 130) ** 2;
        const shape = head < 1 || body < 1;
        luma[y * WIDTH + x] = shape ? 58 - (body < 1 && head >= 1 ? 14 : 0) : 205 - 70 * (y / HEIGHT) - 40 * Math.abs(x - 320) / 320;
        if (x % 2 === 0 && y % 2 === 0) {
          chroma[0][y / 2 * WIDTH / 2 + x / 2] = shape ? 128 + (u - 128) / 3 : u;
          chroma[1][y / 2 * WIDTH / 2 + x / 2] = shape ? 128 + (v - 128) / 3 : v;
        }
      }
    writeSync(file, 'FRAME\n');
    for (const plane of [luma, ...chroma])
      writeSync(file, plane);
  }
  closeSync(file);
}

const folder = mkdtempSync(join(tmpdir(), 'cardea-picture-'));
const server = await startServer({
  name: 'picture', web: true,
  rooms: { 'room-1234': { description: 'The hinge', publishers: 20, audiocodec: 'opus', videocodec: 'vp8', notify_joining: true, bitrate: 2000000 } },
  textrooms: { 'room-1234': { history: 50 } },
});
const browsers = [];
try {
  const pages = [];
  for (const [i, person] of PEOPLE.entries()) {
    const camera = join(folder, `${person.name}.y4m`);
    drawCamera(camera, person, i / PEOPLE.length);
    browsers.push(await openBrowser('chromium', { args: [`--use-file-for-fake-video-capture=${camera}`] }));
    pages.push(await browsers[i].page(`${server.page}?autojoin=1&stats=1&name=${person.name}${i === 0 ? '&chat=1' : ''}`));
  }
  await pages[0].setViewport({ width: 1280, height: 720 });
  await until('Ada sees the others, with numbers', async () => {
    const r = await report(pages[0]);
    return r?.phase === 'joined' && r.tiles.length === 3 && r.tiles.every(t => t.video?.width > 0 && t.video.kbps > 0 && t.video.rttMs !== null);
  }, 40000);
  await until('everybody is in the chat', async () => (await report(pages[0])).chat?.people.length === 2, 20000);
  for (const [i, text] of TALK)
    await pages[i].evaluate(words => window.cardea.chat.chat.say(words), text);
  await pages[2].evaluate(size => window.cardea.chat.send(new File([new Uint8Array(size)], 'hinges.pdf')), 2_400_000);
  await sleep(8000);                     /* until the bit rates have settled */
  await pages[0].screenshot({ path: TARGET });
  console.log(`${TARGET}: ${statSync(TARGET).size} bytes`);
} finally {
  for (const browser of browsers)
    await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
