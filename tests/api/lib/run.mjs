// Runs the program until it ends by itself: for what it says and with which code it exits.

import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { BIN } from './server.mjs';

/* A folder with these files: {name: text or Buffer}. */
export function folderWith(files) {
  const dir = mkdtempSync(join(tmpdir(), 'cardea-test-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

/* {code, signal, out}: `out` has both outputs. A program that is still there after `ms` is killed: signal 'SIGKILL'. */
export function runToEnd(args, { ms = 15000, cwd, env, wrap = [], bin = BIN } = {}) {
  return new Promise((done, fail) => {
    const [command, ...rest] = [...wrap, bin, ...args];
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], cwd, env: { ...process.env, ...env } });
    let out = '';
    child.stdout.on('data', data => { out += data; });
    child.stderr.on('data', data => { out += data; });
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    child.once('error', fail);
    child.once('close', (code, signal) => { clearTimeout(timer); done({ code, signal, out }); });
  });
}
