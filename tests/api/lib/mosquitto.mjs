// A mosquitto of the test's own, on a free port and with a folder of its own; it can be ended and started again where it was.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from './server.mjs';

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

const answers = port => new Promise(done => {
  const probe = createConnection({ port, host: '127.0.0.1' }, () => { probe.destroy(); done(true); });
  probe.once('error', () => done(false));
});

/* `tls`: {cert, key} for a second listener; `more`: further lines of its configuration. */
export async function startMosquitto({ tls, more = '' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'cardea-mosquitto-'));
  const broker = { port: await freePort(), tlsPort: tls && await freePort(), dir };
  writeFileSync(join(dir, 'mosquitto.conf'), [
    'user root', 'per_listener_settings false', 'allow_anonymous true', 'persistence true', `persistence_location ${dir}/`, 'set_tcp_nodelay true',
    `listener ${broker.port} 127.0.0.1`,
    ...(tls ? [`listener ${broker.tlsPort} 127.0.0.1`, `certfile ${tls.cert}`, `keyfile ${tls.key}`] : []), more, ''].join('\n'));
  broker.start = async () => {
    broker.child = spawn('/usr/sbin/mosquitto', ['-c', join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
    running.add(broker.child);
    const child = broker.child;
    child.once('exit', () => running.delete(child));
    child.unref();
    while (!await answers(broker.port)) {
      if (child.exitCode !== null)
        throw new Error('mosquitto has ended');
      await sleep(20);
    }
  };
  broker.end = () => new Promise(done => {
    broker.child.ref();
    broker.child.once('exit', done);
    broker.child.kill('SIGTERM');
  });
  broker.stop = async () => {
    await broker.end();
    rmSync(dir, { recursive: true, force: true });
  };
  await broker.start();
  return broker;
}
