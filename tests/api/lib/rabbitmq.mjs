// A rabbitmq-server of the test's own: on free ports, with its data, its cookie and its name service (epmd) in a folder of its own.
// It takes some seconds to start; one is enough for a file of tests.

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from './server.mjs';

const BIN = '/usr/lib/rabbitmq/bin';
const START_MS = 90000;
const running = new Set();
process.on('exit', () => { for (const child of running) kill(child); });

/* The script starts others: all are of its process group. */
function kill(child, signal = 'SIGKILL') {
  try {
    process.kill(-child.pid, signal);
  } catch { /* it has ended */ }
}

function run(command, args, options) {
  const child = spawn(command, args, { detached: true, ...options });
  running.add(child);
  child.unref();
  child.ended = new Promise(done => child.once('exit', () => { running.delete(child); done(); }));
  return child;
}

/* What an AMQP server says to somebody who speaks something else: it is up then. */
const answers = port => new Promise(done => {
  const probe = createConnection({ port, host: '127.0.0.1' }, () => probe.write('HELLO123'));
  probe.setTimeout(2000, () => probe.destroy());
  probe.once('data', data => { probe.destroy(); done(data.subarray(0, 4).toString() === 'AMQP'); });
  probe.once('error', () => done(false));
  probe.once('close', () => done(false));
});

/* `tls`: {ca, cert, key}. */
export async function startRabbitmq({ tls } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'cardea-rabbitmq-'));
  const [port, tlsPort, dist, epmdPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const env = {
    ...process.env, HOME: dir, ERL_EPMD_PORT: String(epmdPort), RABBITMQ_NODENAME: `cardea${port}@localhost`, RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_MNESIA_BASE: dir, RABBITMQ_LOG_BASE: dir, RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'), RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
    RABBITMQ_PID_FILE: join(dir, 'pid'), RABBITMQ_CONF_ENV_FILE: '/dev/null', RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none', LC_ALL: 'C.UTF-8',
  };
  writeFileSync(join(dir, 'plugins'), '[].\n');
  writeFileSync(join(dir, 'rabbitmq.conf'), [`listeners.tcp.1 = 127.0.0.1:${port}`, 'log.file.level = warning', 'disk_free_limit.absolute = 1MB',
    ...(tls ? [`listeners.ssl.1 = 127.0.0.1:${tlsPort}`, `ssl_options.cacertfile = ${tls.ca}`, `ssl_options.certfile = ${tls.cert}`,
      `ssl_options.keyfile = ${tls.key}`, 'ssl_options.verify = verify_none', 'ssl_options.fail_if_no_peer_cert = false'] : []), ''].join('\n'));
  const broker = { port, tlsPort, dir };
  const log = openSync(join(dir, 'out'), 'a');
  const epmd = run('epmd', ['-port', String(epmdPort)], { env, stdio: 'ignore' });

  broker.start = async () => {
    const child = broker.child = run(join(BIN, 'rabbitmq-server'), [], { env, stdio: ['ignore', log, log] });
    for (const deadline = Date.now() + START_MS; !await answers(port); await sleep(100))
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`rabbitmq-server does not start:\n${existsSync(join(dir, 'out')) ? readFileSync(join(dir, 'out'), 'utf8').slice(-3000) : ''}`);
  };
  broker.ctl = (...args) => execFileSync(join(BIN, 'rabbitmqctl'), args, { env, encoding: 'utf8' });
  /* Cut off as by a failure, data and all. */
  broker.end = async () => {
    broker.child.ref();
    kill(broker.child);
    await broker.child.ended;
  };
  broker.stop = async () => {
    await broker.end();
    epmd.ref();
    kill(epmd);
    await epmd.ended;
    closeSync(log);
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  await broker.start();
  return broker;
}
