// One byte of padding (media/hold.h), as browsers take it: Chromium publishes with each codec, two Chromium and a Firefox watch.
//
//   node bench/padding.mjs [--seconds 10]
//
// Packets with the P bit are counted on loopback (python3 and a packet socket: root), and so that something could fail, the frames that
// viewers decode are compared with those that they received.

import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { startServer } from '../tests/api/lib/server.mjs';
import { openBrowser, report, until } from '../tests/browser/lib/browsers.mjs';

process.chdir(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });

const COUNT = `
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)); s.settimeout(0.2); s.bind(('lo', 0))
end, all, padded = time.time() + float(sys.argv[1]), 0, 0
while time.time() < end:
    try: f, a = s.recvfrom(65535)
    except TimeoutError: continue
    if a[2] == 4 or f[14] != 0x45 or f[23] != 17: continue
    p = f[42:]
    if len(p) > 400 and p[0] & 0xC0 == 0x80: all += 1; padded += p[0] >> 5 & 1
print(all, padded)`;

const count = seconds => new Promise(done => {
  const child = spawn('python3', ['-c', COUNT, `${seconds}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', d => { out += d; });
  child.on('close', () => done(out.trim().split(' ').map(Number)));
});

const frames = page => page.evaluate(async () => {
  const rows = [...(await window.cardea.call.subscriberPc.getStats()).values()].filter(r => r.type === 'inbound-rtp' && r.kind === 'video');
  return rows.reduce((sum, r) => ({ received: sum.received + (r.framesReceived ?? 0), decoded: sum.decoded + (r.framesDecoded ?? 0), plis: sum.plis + (r.pliCount ?? 0),
    nacks: sum.nacks + (r.nackCount ?? 0), lost: sum.lost + (r.packetsLost ?? 0), size: `${r.frameWidth}x${r.frameHeight}` }), { received: 0, decoded: 0, plis: 0, nacks: 0, lost: 0 });
});

for (const codec of ['vp8', 'vp9', 'h264']) {
  const server = await startServer({ name: `padding-${codec}`, web: true,
    rooms: { 'room-1234': { description: 'Padding', publishers: 3, videocodec: codec, bitrate: 2500000 } } });
  const browsers = [await openBrowser('chromium'), await openBrowser('chromium', { camera: false }), await openBrowser('chromium', { camera: false }),
    await openBrowser('firefox', { camera: false })];
  try {
    const url = name => `${server.page}?${server.query ? `${server.query}&` : ''}autojoin=1&stats=1&name=${name}`;
    await browsers[0].page(url('publisher'));
    const pages = [];
    for (const [i, name] of ['one', 'two', 'fox'].entries())
      pages.push(await browsers[i + 1].page(url(name)));
    for (const page of pages)
      await until('a picture', async () => (await report(page))?.tiles.some(t => !t.own && (t.video?.framesDecoded ?? 0) > 5), 60000);
    await sleep(4000);
    const before = await Promise.all(pages.map(frames));
    const [all, padded] = await count(Number(options.seconds));
    const after = await Promise.all(pages.map(frames));
    console.log(`${codec}: ${padded} of ${all} video packets on loopback padded`);
    for (const [i, name] of ['Chromium', 'Chromium', 'Firefox'].entries())
      console.log(`  ${name}: decoded ${after[i].decoded - before[i].decoded} of ${after[i].received - before[i].received} frames received, ` +
        `keyframes asked ${after[i].plis - before[i].plis}, NACKs ${after[i].nacks - before[i].nacks}, lost ${after[i].lost - before[i].lost}`);
  } catch (error) {
    console.log(`${codec}: ${error.message}`);
  } finally {
    for (const browser of browsers)
      await browser.close();
    await server.stop().catch(() => {});
  }
}
