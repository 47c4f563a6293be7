// Starts Chromium (over CDP) and Firefox ESR (over WebDriver BiDi), each with fake cameras and a profile of its own, and
// looks at pages the way a person does: do pictures move, is there sound.

import puppeteer from 'puppeteer-core';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const CHROMIUM = process.env.CHROMIUM_BIN ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const FIREFOX = process.env.FIREFOX_BIN ?? ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find(existsSync);

const CHROMIUM_ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows', '--mute-audio', '--autoplay-policy=no-user-gesture-required', '--disable-dev-shm-usage', '--window-size=960,720'];

const FIREFOX_PREFS = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.gmp-manager.updateEnabled': false,
  'media.peerconnection.ice.obfuscate_host_addresses': true,
  'datareporting.policy.dataSubmissionEnabled': false,
  'app.update.disabledForTesting': true,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'dom.ipc.processCount': 2,
};

export const has = { chromium: CHROMIUM !== undefined, firefox: FIREFOX !== undefined };

/* {browser, kind, pid, page(url), close(), stop(): SIGSTOP to all its processes, resume()}.
 * camera: false: no fake devices and no permission, as when a person says no (then all candidates are .local). */
export async function openBrowser(kind = 'chromium', { camera = true, args = [] } = {}) {
  const userDataDir = mkdtempSync(join(tmpdir(), `cardea-${kind}-`));
  const browser = kind === 'firefox'
    ? await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, headless: true, userDataDir, args, extraPrefsFirefox: FIREFOX_PREFS, protocolTimeout: 60000 })
    : await puppeteer.launch({
      executablePath: CHROMIUM, userDataDir, protocolTimeout: 60000,
      args: [...CHROMIUM_ARGS, ...(camera ? ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] : ['--deny-permission-prompts']), ...args],
    });
  const pid = browser.process().pid;
  const shell = {
    browser, kind, pid,
    async page(url) {
      const page = await browser.newPage();
      page.complaints = [];
      page.on('pageerror', error => page.complaints.push(String(error?.message ?? error)));
      page.on('console', message => { if (message.type() === 'error') page.complaints.push(message.text()); });
      await page.goto(url, { waitUntil: 'load', timeout: 60000 });
      return page;
    },
    async close() {
      shell.resume();
      await Promise.race([browser.close().catch(() => {}), sleep(5000)]);
      signalTree(pid, 'SIGKILL');
      await sleep(100);
      rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
    stop: () => { shell.stopped = tree(pid); for (const p of shell.stopped) signal(p, 'SIGSTOP'); },
    resume: () => { for (const p of (shell.stopped ?? []).reverse()) signal(p, 'SIGCONT'); shell.stopped = []; },
  };
  return shell;
}

/* ---- processes: only the browser we started, and its children ---- */

function tree(root) {
  const children = new Map();
  for (const name of readdirSync('/proc').filter(n => /^\d+$/.test(n))) {
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch { /* gone meanwhile */ }
  }
  const all = [];
  for (const todo = [root]; todo.length > 0;) {
    const pid = todo.pop();
    all.push(pid);
    todo.push(...(children.get(pid) ?? []));
  }
  return all;
}

function signal(pid, name) {
  try { process.kill(pid, name); } catch { /* gone meanwhile */ }
}

function signalTree(root, name) {
  for (const pid of tree(root))
    signal(pid, name);
}

/* ---- waiting, without sleeping longer than needed ---- */

export async function until(what, check, ms = 20000, every = 150) {
  const deadline = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await check();
      if (last)
        return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`not within ${ms} ms: ${what}; last seen: ${last instanceof Error ? last.stack : JSON.stringify(last)}`);
    await sleep(every);
  }
}

export const report = page => page.evaluate(() => window.cardea?.report());

/* ---- what a person would see and hear ---- */

/* Counters of every stream the page receives, by PeerConnection and mid: {mid: {kind, frames, energy, bytes, width, height}}. */
export function received(page, which = 'subscriberPc') {
  return page.evaluate(async name => {
    const pc = name === 'echo' ? window.cardea.handle?.webrtcStuff?.pc : window.cardea.call?.[name];
    if (!pc)
      return {};
    const mids = new Map(pc.getTransceivers().map(t => [t.receiver.track.id, t.mid]));
    const out = {};
    for (const s of (await pc.getStats()).values())
      if (s.type === 'inbound-rtp')
        out[s.mid ?? mids.get(s.trackIdentifier)] = {
          kind: s.kind, frames: s.framesDecoded ?? 0, energy: s.totalAudioEnergy ?? 0, samples: s.totalSamplesReceived ?? 0, bytes: s.bytesReceived,
          width: s.frameWidth ?? 0, height: s.frameHeight ?? 0, packets: s.packetsReceived, lost: s.packetsLost,
        };
    return out;
  }, which);
}

/* A small copy of every playing video: [{name, pixels: [red, green, blue, ...]}] for tiles that are not one's own. */
export function pictures(page) {
  return page.evaluate(() => [...document.querySelectorAll('.tile:not(.own) video')].filter(v => v.videoWidth > 0).map(video => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 24 });
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, 32, 24);
    const { data } = context.getImageData(0, 0, 32, 24);
    const pixels = [];
    for (let i = 0; i < data.length; i += 4)
      pixels.push(data[i], data[i + 1], data[i + 2]);
    return { name: video.getAttribute('aria-label'), pixels };
  }));
}

/* How far two small pictures are apart: the greatest difference of one colour in one pixel, 0 to 255. */
export function difference(a, b) {
  let most = 0;
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
}

/* How often a stream may stand still on a machine that is busy with five browsers: in no three slices in a row, and in no more than a
 * fifth of all. */
const STILL_IN_A_ROW = 2;
const STILL_SHARE = 0.2;

/* Every stream a page receives must go on for `ms`: frames decoded in every slice, pictures changing, sound with energy. */
export async function watch(page, { ms, people, slice = 2000, which = 'subscriberPc', audio = true, video = true, label = '' }) {
  const problems = [];
  const end = Date.now() + ms;
  let before = await received(page, which);
  const still = new Map();               /* "kind mid" -> {row, all, worst} */
  const seen = new Map();
  const look = async () => {
    for (const { name, pixels } of await pictures(page)) {
      const entry = seen.get(name) ?? { first: pixels, most: 0 };
      entry.most = Math.max(entry.most, difference(entry.first, pixels));
      seen.set(name, entry);
    }
  };
  let slices = 0;
  while (Date.now() < end) {
    await sleep(Math.min(slice, Math.max(500, end - Date.now())));
    const now = await received(page, which);
    for (const kind of ['audio', 'video']) {
      const streams = Object.entries(now).filter(([, s]) => s.kind === kind && s.packets > 0);
      const counter = kind === 'audio' ? 'energy' : 'frames';
      for (const [mid, s] of streams) {
        const entry = still.get(`${kind} ${mid}`) ?? { row: 0, all: 0, worst: 0 };
        const moved = s[counter] > (before[mid]?.[counter] ?? 0);
        entry.row = moved ? 0 : entry.row + 1;
        entry.all += moved ? 0 : 1;
        entry.worst = Math.max(entry.worst, entry.row);
        still.set(`${kind} ${mid}`, entry);
      }
    }
    before = now;
    await look();
    slices++;
  }
  /* Streams of people who have left may stand still for ever: so many must go on, not all. */
  for (const [kind, wanted] of [['audio', audio], ['video', video]]) {
    const streams = [...still].filter(([name]) => name.startsWith(kind));
    const good = streams.filter(([, { all, worst }]) => worst <= STILL_IN_A_ROW && all <= Math.max(1, slices * STILL_SHARE));
    if (wanted && good.length < people)
      problems.push(`${label}: ${good.length} of ${people} ${kind} streams went on, in ${slices} slices of ${slice} ms: `
        + streams.map(([name, { all, worst }]) => `${name} stood still in ${all}, ${worst} in a row`).join('; '));
  }
  if (video) {
    /* a loaded machine may paint seldom: look again before saying that a picture stands still */
    const changed = () => [...seen.values()].filter(e => e.most > 12).length;
    for (let more = 0; changed() < people && more < 8; more++) {
      await sleep(1000);
      await look();
    }
    if (changed() < people)
      problems.push(`${label}: ${changed()} of ${people} pictures changed on the screen: ${JSON.stringify([...seen].map(([n, e]) => [n, e.most]))}`);
  }
  return { slices, problems };
}
