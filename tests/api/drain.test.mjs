// Draining and reloading: what SIGTERM and SIGUSR2 do beyond the reference (docs/OPERATORS.md).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import tls from 'node:tls';

import { connect } from './lib/client.mjs';
import { freePort, IS_REFERENCE, startServer } from './lib/server.mjs';

const skip = { skip: IS_REFERENCE && 'beyond the reference' };

describe('draining', skip, () => {
  test('sessions go on, new ones are refused, clients are told, and the last session ends the server', async () => {
    const server = await startServer({ name: 'api-drain', core: { general: { drain_timeout: 60 } } });
    const [one, two] = [await server.connect(), await server.connect()];
    const session = await one.session();
    const handle = await session.attach('janus.plugin.echotest');
    server.kill('SIGTERM');
    const told = await one.next(m => m.janus === 'draining');
    assert.deepEqual(told, { janus: 'draining', session_id: session.id, seconds: 60 });
    const refused = await two.request({ janus: 'create' });
    assert.deepEqual(refused.error, { code: 472, reason: 'Currently not accepting new sessions' });
    const { event } = await handle.message({ audio: true });
    assert.equal(event.plugindata.data.result, 'ok');
    assert.equal((await session.attach('janus.plugin.videoroom')).id > 0, true);
    assert.equal(server.hasEnded(), null);
    await session.request({ janus: 'destroy' });
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    await server.stop();
  });

  test('a second SIGTERM, or SIGINT, does not wait any longer', async () => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      const server = await startServer({ name: 'api-drain-twice', core: { general: { drain_timeout: 600 } } });
      const client = await server.connect();
      await client.session();
      server.kill('SIGTERM');
      await client.next(m => m.janus === 'draining');
      server.kill(signal);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      await server.stop();
    }
  });

  test('when the time is up the sessions that are left are closed', async () => {
    const server = await startServer({ name: 'api-drain-late', core: { general: { drain_timeout: 1 } } });
    const client = await server.connect();
    await client.session();
    server.kill('SIGTERM');
    await client.next(m => m.janus === 'draining');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    await server.logged(/time is up for the sessions that are left/);
    await server.stop();
  });

  test('nobody there: it leaves at once; without drain_timeout nobody is told', async () => {
    const empty = await startServer({ name: 'api-drain-empty', core: { general: { drain_timeout: 600 } } });
    empty.kill('SIGTERM');
    assert.deepEqual(await empty.exited, { code: 0, signal: null });
    await empty.stop();
    const server = await startServer({ name: 'api-drain-off' });
    const client = await server.connect();
    await client.session();
    server.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.deepEqual(client.take(m => m.janus === 'draining'), []);
    await server.stop();
  });
});

describe('SIGUSR2', skip, () => {
  let folder, server, port;
  const make = name => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, `${name}.key`),
    '-out', join(folder, `${name}.pem`), '-days', '2', '-subj', `/CN=${name}`], { stdio: 'ignore' });
  const use = name => { copyFileSync(join(folder, `${name}.pem`), join(folder, 'cert.pem')); copyFileSync(join(folder, `${name}.key`), join(folder, 'key.pem')); };
  const shown = () => new Promise((done, fail) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => { done(socket.getPeerCertificate().subject.CN); socket.destroy(); });
    socket.once('error', fail);
  });
  const reloads = () => (server.log().match(/Reload(ed)?:/g) ?? []).length;
  const reload = async pattern => { server.kill('SIGUSR2'); await server.logged(pattern); };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cardea-reload-'));
    make('first');
    make('second');
    use('first');
    port = await freePort();
    server = await startServer({ name: 'api-reload', websockets: { general: { wss: true, wss_ip: '127.0.0.1', wss_port: port },
      certificates: { cert_pem: join(folder, 'cert.pem'), cert_key: join(folder, 'key.pem') } } });
  });
  after(async () => { await server?.stop(); rmSync(folder, { recursive: true, force: true }); });

  test('new connections get the new certificate, open ones go on', async () => {
    const client = await connect(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false });
    assert.equal(await shown(), 'first');
    use('second');
    await reload(/wss: new connections get the certificate as it is now/);
    assert.equal(await shown(), 'second');
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.close();
  });

  test('a certificate that cannot be used, or read, changes nothing', async () => {
    writeFileSync(join(folder, 'key.pem'), readFileSync(join(folder, 'first.key')));       /* not the certificate's */
    await reload(/mismatch: the certificate stays as it was/);
    assert.equal(await shown(), 'second');
    rmSync(join(folder, 'cert.pem'));
    await reload(/can't read .*cert\.pem .*: the certificate stays/);
    assert.equal(await shown(), 'second');
    use('second');
  });

  test('the log level changes; a broken file changes nothing', async () => {
    const file = join(server.dir, 'janus.jcfg');
    const text = readFileSync(file, 'utf8');
    const client = await server.connect();
    writeFileSync(file, text.replace(/debug_level *[=:] *\d/, 'debug_level = 5'));
    await reload(/Reloaded: debug_level 5/);
    const { id } = await client.session();
    await client.request({ janus: 'destroy', session_id: id });
    await server.logged(new RegExp(`Session ${id} ends`));
    writeFileSync(file, 'general: { debug_level = ');
    const before = reloads();
    await reload(/Reload: the configuration can't be used; nothing has changed/);
    assert.ok(reloads() > before);
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    writeFileSync(file, text);
    client.close();
  });
});
