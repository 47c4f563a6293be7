// Starts the real server on free ports with a configuration of its own in a temporary folder, keeps its log, and stops it.
//
//   CARDEA_BIN       the program; default build/release/cardea. A path that ends in /janus is taken for the reference server,
//                    which serves no pages: a small web server of ours does then.
//   CARDEA_WEB       the folder with the built pages; default build/web
//   CARDEA_LOG_DIR   where the logs go; default build/logs

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { jcfg } from './jcfg.mjs';
import { connect } from './client.mjs';
import { serveFolder } from './static.mjs';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const BIN = process.env.CARDEA_BIN ? resolve(process.env.CARDEA_BIN) : join(ROOT, 'build/release/cardea');
export const IS_REFERENCE = basename(BIN) === 'janus';
export const WEB = process.env.CARDEA_WEB ? resolve(process.env.CARDEA_WEB) : join(ROOT, 'build/web');
const LOG_DIR = process.env.CARDEA_LOG_DIR ? resolve(process.env.CARDEA_LOG_DIR) : join(ROOT, 'build/logs');

const START_MS = 20000;
const STOP_MS = 20000;

/* What a sanitizer, our own checks or the watchdog print when something is wrong, whatever the exit code. */
const ALARMS = [/ERROR: \w+Sanitizer/, /WARNING: ThreadSanitizer/, /runtime error:/, /CHECK\(/, /\[FATAL\]/];

const started = new Set();
process.on('exit', () => { for (const child of started) child.kill('SIGKILL'); });

export function freePort() {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/* Modules of the reference that crash it when they find nothing to do. */
const REFERENCE_CORE = { transports: { disable: 'libjanus_http.so,libjanus_nanomsg.so,libjanus_mqtt.so,libjanus_rabbitmq.so,libjanus_pfunix.so' } };

function writeConfig(dir, port, options, isReference) {
  const core = { ...(isReference && REFERENCE_CORE), ...options.core };
  const { websockets = {}, rooms = {}, videoroom = {}, textroom = {}, textrooms = {}, echotest = {}, files = {} } = options;
  const { general = {}, nat = {}, media = {}, certificates = {}, ...others } = core;
  const written = {
    'janus.jcfg': jcfg({
      general: { debug_level: Number(process.env.CARDEA_DEBUG_LEVEL ?? 4), debug_timestamps: true, debug_colors: false, ...general },
      ...(Object.keys(media).length > 0 && { media }),
      ...(Object.keys(nat).length > 0 && { nat }),
      ...(Object.keys(certificates).length > 0 && { certificates }),
      ...others,
    }),
    'janus.transport.websockets.jcfg': jcfg({
      general: { json: 'compact', ws: true, ws_ip: '127.0.0.1', ws_port: port, ...websockets.general },
      ...(websockets.admin && { admin: websockets.admin }),
      ...(websockets.cors && { cors: websockets.cors }),
      ...(websockets.certificates && { certificates: websockets.certificates }),
    }),
    'janus.plugin.echotest.jcfg': jcfg({ general: { events: false, ...echotest } }),
    'janus.plugin.videoroom.jcfg': jcfg({ general: { events: false, ...videoroom }, ...rooms }),
    'janus.plugin.textroom.jcfg': jcfg({ general: { events: false, ...textroom }, ...textrooms }),
    ...files,
  };
  for (const [name, text] of Object.entries(written))
    if (text !== null)
      writeFileSync(join(dir, name), text);
}

/* The server's own words, for a test that has failed. */
function tail(path, lines = 40) {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-lines).join('\n') : '(no log)';
}

async function answersPing(url, protocol) {
  const client = await connect(url, { protocol });
  try {
    return (await client.request({ janus: 'ping' })).janus === 'pong';
  } finally {
    client.close();
  }
}

/* Options: bin: the program, instead of CARDEA_BIN; core, websockets, rooms, videoroom, textrooms, textroom, echotest: groups of the five files; files: whole texts by name (null: not written);
 * args: more of the command line; wrap: a program that starts the server, and its arguments; name: of the log; web: also serve the pages; ready: how to tell that it is up. */
export async function startServer(options = {}) {
  const bin = options.bin ?? BIN;
  const isReference = basename(bin) === 'janus';
  if (!existsSync(bin))
    throw new Error(`${bin} does not exist: build it first, or set CARDEA_BIN`);
  mkdirSync(LOG_DIR, { recursive: true });
  const dir = mkdtempSync(join(tmpdir(), 'cardea-test-'));
  const port = options.port ?? await freePort();
  writeConfig(dir, port, options, isReference);

  const logPath = join(LOG_DIR, `${options.name ?? basename(process.argv[1] ?? 'server', '.test.mjs')}-${port}.log`);
  const log = openSync(logPath, 'w');
  const args = ['-F', dir, '-C', join(dir, 'janus.jcfg'), ...(options.args ?? [])];
  if (options.web && !isReference)
    args.push('--web-folder', WEB);
  const [command, ...before] = [...(options.wrap ?? []), bin];
  const child = spawn(command, [...before, ...args], { stdio: ['ignore', log, log], cwd: dir, env: { ...process.env, ...options.env } });
  closeSync(log);
  started.add(child);
  child.unref();                       /* a test that failed before its stop() ends all the same; 'exit' above kills what is left */
  const exited = new Promise(done => {
    child.once('exit', (code, signal) => { started.delete(child); done({ code, signal }); });
    child.once('error', error => { started.delete(child); done({ error }); });
  });
  let ended = null;
  exited.then(how => { ended = how; });

  const server = {
    port, dir, child, logPath,
    get exited() { child.ref(); return exited; },
    pid: child.pid,
    ws: `ws://127.0.0.1:${port}/`,
    page: `http://localhost:${port}/`,
    log: () => readFileSync(logPath, 'utf8'),
    /* The log is written by a thread of its own: a line may come a moment later. */
    async logged(pattern, ms = 5000) {
      for (const deadline = Date.now() + ms; !pattern.test(server.log()); await sleep(20))
        if (Date.now() > deadline)
          throw new Error(`not in the log within ${ms} ms: ${pattern}\n${tail(logPath)}`);
    },
    alarms: () => server.log().split('\n').filter(line => ALARMS.some(alarm => alarm.test(line))),
    hasEnded: () => ended,
    kill: signal => child.kill(signal),
    connect: more => connect(server.ws, more),

    /* A clean end, or an error that says what was wrong. */
    async stop() {
      if (server.pages)
        await server.pages.close();
      if (ended === null) {
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGABRT'), STOP_MS);
        await server.exited;
        clearTimeout(late);
      }
      const alarms = server.alarms();
      if (!isReference && alarms.length > 0)
        throw new Error(`the server complained (${logPath}):\n${alarms.slice(0, 5).join('\n')}`);
      if (!isReference && (ended.code !== 0))
        throw new Error(`the server ended with ${JSON.stringify(ended)} (${logPath}):\n${tail(logPath)}`);
      rmSync(dir, { recursive: true, force: true });
    },
  };

  if (options.web && isReference) {
    server.pages = await serveFolder(WEB);
    server.page = `http://localhost:${server.pages.port}/`;
    server.query = `server=${encodeURIComponent(`ws://localhost:${port}/`)}`;
  }
  if (options.ready === 'never')
    return server;

  const ready = options.ready ?? (() => answersPing(server.ws));
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (ended !== null)
      throw new Error(`the server did not start: ${JSON.stringify(ended)} (${logPath}):\n${tail(logPath)}`);
    try {
      if (await ready(server))
        return server;
    } catch { /* not yet */ }
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the server did not answer within ${START_MS} ms (${logPath}):\n${tail(logPath)}`);
    }
    await sleep(50);
  }
}
