// An actor that no longer ends its turn ends the process, says which it was, and leaves a core dump that shows where it stands. No
// hook in the server: a system call that does not return is put under it (tests/support/faults.h).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { BIN, IS_REFERENCE, ROOT, startServer } from './lib/server.mjs';
import { rawConnect } from './lib/raw.mjs';

const FAULTS = [dirname(BIN), join(ROOT, 'build/gcc')].map(dir => join(dir, 'tests/unit/runtime/libfaults.so')).find(existsSync);
const SANITIZED = /asan|tsan/.test(process.env.CARDEA_BIN ?? '');
const skip = (IS_REFERENCE && 'it has no watchdog') || (SANITIZED && 'its runtime must come first') || (FAULTS === undefined && 'no libfaults.so in build/');

test('a thread that stands still is found within 20 s, named, and in the core dump', { skip }, async () => {
  const server = await startServer({ name: 'api-watchdog', env: { LD_PRELOAD: FAULTS, FAULTS: 'accept4:4:STALL' }, wrap: ['prlimit', '--core=unlimited'] });
  for (let i = 0; i < 5 && server.hasEnded() === null; i++)
    await rawConnect(server.port).catch(() => {});
  const begun = Date.now();
  const { signal } = await Promise.race([server.exited, sleep(60000, null, { ref: false }).then(() => ({ signal: 'none within a minute' }))]);
  assert.equal(signal, 'SIGABRT');
  assert.ok(Date.now() - begun > 5000, 'not before its time');
  const cause = /actor io has not ended its turn for 15 s; its last message was \w+ \(\d+\)/.exec(server.log())?.[0];
  assert.ok(cause, server.log());
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  if (pattern.includes('/') || pattern.startsWith('|'))
    return;                                          /* the system keeps core dumps elsewhere */
  const core = readdirSync(server.dir).find(name => name.startsWith('core'));
  assert.ok(core, `a core dump in ${readdirSync(server.dir)}`);
  assert.ok(readFileSync(join(server.dir, core)).includes(cause), 'it names the cause');
});
