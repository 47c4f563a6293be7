// Too little of everything: memory, threads, disk. What is there is served, the rest is refused with an error, and when there is
// room again it goes on (docs/RELIABILITY.md). Descriptors: flood.test.mjs and storm.test.mjs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { BIN, IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { jcfg } from './lib/jcfg.mjs';
import { folderWith, runToEnd } from './lib/run.mjs';
import { offer } from './lib/sdp.mjs';

const ROOM = 'janus.plugin.videoroom';
const IS_ROOT = process.getuid() === 0;
const SANITIZED = /asan|tsan/.test(process.env.CARDEA_BIN ?? '');
const plain = { skip: (IS_REFERENCE && 'ours') || (SANITIZED && 'a sanitizer takes memory and threads of its own') };

const rssMb = server => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;

async function until(what, ask, ms = 20000) {
  for (const deadline = Date.now() + ms; !await ask(); await sleep(50))
    if (Date.now() > deadline)
      throw new Error(`not within ${ms} ms: ${what}`);
}

/* Rooms with all the text that a room may have, until one is refused or there are enough; what control keeps is about 64 KiB each. */
async function fillRooms(handle, count) {
  const description = 'd'.repeat(60000);
  for (let i = 0; i < count; i++)
    if ((await handle.sync({ request: 'create', room: 100000 + i, description })).videoroom !== 'created')
      return i;
  return count;
}

async function emptyRooms(handle, count) {
  for (let i = 0; i < count; i++)
    await handle.sync({ request: 'destroy', room: 100000 + i });
}

describe('memory', plain, () => {
  test('pools are sized from the limit: over it sessions and handles get 490, those that are there go on, and who leaves makes room', async () => {
    const server = await startServer({ name: 'api-exhaust-pools', core: { general: { memory_limit: 160 } } });
    await server.logged(/160 MB of memory: at most \d+ PeerConnections a worker, (\d+) sessions/);
    const most = Number(/at most \d+ PeerConnections a worker, (\d+) sessions/.exec(server.log())[1]);
    assert.ok(most >= 256 && most < 20000, `${most}`);
    const client = await server.connect();
    const sessions = [];
    let refused = null;
    while (refused === null && sessions.length <= most) {
      const replies = await Promise.all(Array.from({ length: 50 }, () => client.request({ janus: 'create' })));
      sessions.push(...replies.filter(r => r.janus === 'success').map(r => r.data.id));
      refused = replies.find(r => r.janus === 'error') ?? null;
    }
    assert.equal(refused?.error.code, 490);
    assert.equal(sessions.length, most);
    assert.equal((await client.request({ janus: 'keepalive', session_id: sessions[0] })).janus, 'ack');
    assert.equal((await client.request({ janus: 'destroy', session_id: sessions[0] })).janus, 'success');
    assert.equal((await client.request({ janus: 'create' })).janus, 'success');
    assert.ok(rssMb(server) < 160 * 0.85, `${rssMb(server)} MB`);
    client.close();
    await server.stop();
  });

  test('what no pool counts: when memory is nearly used up, new sessions, handles and calls get 490, and are taken again when it has been given back', async () => {
    const limit = 96;
    const server = await startServer({ name: 'api-exhaust-short', core: { general: { memory_limit: limit } } });
    const client = await server.connect();
    const session = await client.session();
    const handle = await session.attach(ROOM), caller = await session.attach(ROOM);
    const made = await fillRooms(handle, 1500);
    await server.logged(/of memory in use: new sessions and calls are refused/);
    assert.ok(rssMb(server) > limit * 0.75, `${rssMb(server)} MB`);
    assert.equal((await client.request({ janus: 'create' })).error?.code, 490);
    assert.equal((await session.request({ janus: 'attach', plugin: ROOM })).error?.code, 490);
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    const refused = await caller.message({ request: 'joinandconfigure', room: 100000, ptype: 'publisher' }, offer()).catch(error => error);
    assert.ok(/490/.test(JSON.stringify(refused) + refused.message), `${JSON.stringify(refused)} ${refused.message}`);
    await emptyRooms(handle, made);
    await server.logged(/of memory in use: new sessions and calls are taken again/, 20000);
    await until('sessions are taken again', async () => (await client.request({ janus: 'create' })).janus === 'success');
    const { jsep } = await (await session.attach('janus.plugin.echotest')).message({ audio: true }, offer());
    assert.equal(jsep.type, 'answer');
    client.close();
    await server.stop();
  });

  const CGROUP = '/sys/fs/cgroup/memory';
  const ours = () => `${CGROUP}/cardea-test-${process.pid}`;
  const hasGroups = () => {
    try {
      mkdirSync(ours());
      rmdirSync(ours());
      return existsSync(join(CGROUP, 'memory.limit_in_bytes'));
    } catch { return false; }
  };

  test('under a limit of the kernel\'s: found, kept to, never met', { skip: !hasGroups() && 'control groups (version 1) are not ours to make here' }, async () => {
    mkdirSync(ours());
    try {
      writeFileSync(join(ours(), 'memory.limit_in_bytes'), `${128 << 20}`);
      const server = await startServer({ name: 'api-exhaust-cgroup', wrap: ['sh', '-c', `echo $$ > ${ours()}/cgroup.procs; exec "$0" "$@"`] });
      await server.logged(/128 MB of memory: at most/);
      const client = await server.connect();
      const session = await client.session();
      const handle = await session.attach(ROOM);
      const made = await fillRooms(handle, 2500);
      await server.logged(/new sessions and calls are refused/);
      assert.equal((await client.request({ janus: 'create' })).error?.code, 490);
      assert.equal(server.hasEnded(), null, 'the kernel has not ended it');
      await emptyRooms(handle, made);
      await until('sessions are taken again', async () => (await client.request({ janus: 'create' })).janus === 'success');
      client.close();
      await server.stop();
    } finally {
      await until('the group is empty', () => { try { rmdirSync(ours()); return true; } catch { return false; } });
    }
  });
});

describe('threads', plain, () => {
  const nobody = IS_ROOT ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  /* Threads that this user has, as the limit counts them. */
  const running = () => readdirSync('/proc').filter(name => /^\d+$/.test(name)).reduce((sum, pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return sum + (Number(/^Uid:\s+(\d+)/m.exec(status)[1]) === (IS_ROOT ? 65534 : process.getuid()) ? Number(/^Threads:\s+(\d+)/m.exec(status)[1]) : 0);
    } catch { return sum; }           /* it has just ended */
  }, 0);

  test('too few to start with: exit 1 with a message; enough: it serves, since it never needs another', { skip: spawnSync('setpriv', ['--version']).status !== 0 && 'no setpriv' }, async () => {
    let served = 0, refused = 0;
    for (const spare of [1, 3, 5, 8, 40]) {
      const dir = folderWith({ 'janus.transport.websockets.jcfg': jcfg({ general: { ws: true, ws_ip: '127.0.0.1', ws_port: await freePort() } }) });
      chmodSync(dir, 0o755);
      const bin = join(dir, 'cardea');
      execFileSync('cp', [BIN, bin]);
      chmodSync(bin, 0o755);
      const { code, signal, out } = await runToEnd(['-F', dir], { wrap: [...nobody, 'prlimit', `--nproc=${running() + spare}`], bin, ms: 1500 });
      assert.doesNotMatch(out, /CHECK/);
      if (signal === 'SIGKILL') {
        served++;
      } else {
        assert.equal(code, 1, out);
        assert.match(out, /can't start a thread: .*unavailable/);
        refused++;
      }
    }
    assert.ok(refused >= 1 && served >= 1, `${refused} ${served}`);
  });
});

describe('disk', plain, () => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-disk-'));
  const canMount = IS_ROOT && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', folder]).status === 0;

  test('full: the log and saved rooms are given up, requests that need it get an error, calls go on; with room again it works', { skip: !canMount && 'no small disk to be had' }, async () => {
    try {
      const log = join(folder, 'cardea.log');
      const server = await startServer({ name: 'api-exhaust-disk', rooms: { 'room-1': {} }, args: ['-L', log] });
      const client = await server.connect();
      writeFileSync(join(folder, 'filler'), Buffer.alloc(200 << 10));
      try { writeFileSync(join(folder, 'more'), Buffer.alloc(100 << 10)); } catch { /* full now */ }
      const session = await client.session();
      const handle = await session.attach(ROOM);
      for (let i = 0; i < 200; i++)
        await handle.sync({ request: 'exists', room: i });
      const { jsep } = await handle.message({ request: 'joinandconfigure', room: 1, ptype: 'publisher' }, offer());
      assert.equal(jsep.type, 'answer');
      for (let i = 0; i < 20; i++) {
        assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
        await session.request({ janus: 'keepalive' });
      }
      rmSync(join(folder, 'filler'));
      rmSync(join(folder, 'more'), { force: true });
      assert.equal((await handle.message({ request: 'leave' })).data.leaving, 'ok');
      client.close();
      await server.stop();
      assert.match(readFileSync(log, 'utf8'), /Bye!/, 'what is said once there is room is written');
    } finally {
      execFileSync('umount', ['-l', folder]);
      rmdirSync(folder);
    }
  });
});
