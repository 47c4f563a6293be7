// Throughput of one data channel on loopback: a file there and back, in chunks, from a page in Chromium.
//
//   node bench/data.mjs [--mb 50] [--rounds 3] [--json]
//       two PeerConnections of one page, this server's EchoTest, and that of Debian's `janus`, in turns, `rounds` times each;
//       the best of each counts, since whatever else the machine does can only make it slower
//   node bench/data.mjs --one [--mb 50]
//       one server: CARDEA_BIN (default build/release/cardea)

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values: options } = parseArgs({ options: {
  one: { type: 'boolean', default: false }, pair: { type: 'boolean', default: false }, mb: { type: 'string', default: '50' },
  rounds: { type: 'string', default: '3' }, json: { type: 'boolean', default: false },
} });
const SERVERS = { cardea: process.env.CARDEA_BIN ?? join(ROOT, 'build/release/cardea'), janus: process.env.JANUS_BIN ?? '/usr/bin/janus' };
const CHUNK = 60000;                                 /* the reference passes on 65,535 bytes at most */
const size = Number(options.mb) << 20;

async function onPage(work) {
  const { serveFolder } = await import('../tests/api/lib/static.mjs');
  const { openBrowser } = await import('../tests/browser/lib/browsers.mjs');
  const pages = await serveFolder(join(ROOT, 'tests/browser/pages'));
  const browser = await openBrowser('chromium', { args: ['--disable-features=WebRtcHideLocalIpsWithMdns'] });
  try {
    const page = await browser.page(`http://localhost:${pages.port}/data.html`);
    await page.evaluate(() => window.data.open());
    return await work(page);
  } finally {
    await browser.close();
    await pages.close();
  }
}

const file = async page => {
  await page.evaluate(o => window.data.file(o), { label: 'bench', size: 4 << 20, chunk: CHUNK });      /* the windows have opened */
  const { ms, bytes, wrong } = await page.evaluate(o => window.data.file(o), { label: 'bench', size, chunk: CHUNK });
  if (bytes !== size || wrong > 0)
    throw new Error(`${bytes} bytes of ${size} came back, ${wrong} messages were wrong`);
  return size * 8 / ms / 1000;
};

const openChannel = page => page.waitForFunction(() => window.data.isOpen('bench'), { timeout: 20000 });

/* Chromium to Chromium: the other end sends back whatever comes. */
const pair = () => onPage(async page => {
  await page.evaluate(async () => {
    const { data } = window, other = window.other = new RTCPeerConnection();
    data.channel('bench', {});
    other.ondatachannel = ({ channel }) => {
      channel.binaryType = 'arraybuffer';
      const queue = [];
      channel.bufferedAmountLowThreshold = 1 << 20;
      const go = () => { while (queue.length > 0 && channel.bufferedAmount < 4 << 20) channel.send(queue.shift()); };
      channel.onmessage = event => { queue.push(event.data); go(); };
      channel.onbufferedamountlow = go;
    };
    other.onicecandidate = ({ candidate }) => candidate && data.pc.addIceCandidate(candidate);
    const offer = await data.offer();
    await other.setRemoteDescription(offer);
    await other.setLocalDescription(await other.createAnswer());
    await data.take(other.localDescription);
  });
  await openChannel(page);
  return file(page);
});

async function one() {
  const { startServer } = await import('../tests/api/lib/server.mjs');
  const server = await startServer({ name: 'bench-data' });
  try {
    return await onPage(async page => {
      const client = await server.connect();
      const handle = await (await client.session()).attach('janus.plugin.echotest');
      await page.evaluate(() => window.data.channel('bench', {}));
      const { jsep } = await handle.message({ audio: true }, await page.evaluate(() => window.data.offer()));
      await page.evaluate(jsep => window.data.take(jsep), jsep);
      await openChannel(page);
      const rate = await file(page);
      await client.close();
      return rate;
    });
  } finally {
    await server.stop();
  }
}

function spawnOne(name) {
  const args = name === 'chromium' ? ['--pair'] : ['--one'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args, '--mb', options.mb, '--json'],
    { encoding: 'utf8', env: { ...process.env, CARDEA_BIN: SERVERS[name] ?? '' }, timeout: 300000 });
  if (status !== 0) {
    console.error(`# ${name}: ${stderr.trim().split('\n').slice(-3).join(' ')}`);
    return null;
  }
  return JSON.parse(stdout.trim().split('\n').pop()).mbps;
}

if (options.one || options.pair) {
  console.log(JSON.stringify({ mbps: Math.round(await (options.pair ? pair() : one()) * 10) / 10 }));
} else {
  const names = ['chromium', 'cardea', ...(existsSync(SERVERS.janus) ? ['janus'] : [])];
  const rates = Object.fromEntries(names.map(name => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++)
    for (const name of names)
      rates[name].push(spawnOne(name));
  const best = Object.fromEntries(names.map(name => [name, Math.max(...rates[name].filter(r => r !== null), 0)]));
  if (options.json)
    console.log(JSON.stringify({ best, rates }));
  else
    for (const name of names)
      console.log(`${name.padEnd(9)} ${String(best[name]).padStart(7)} Mb/s each way   (${rates[name].join(', ')})`);
}
