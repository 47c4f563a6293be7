// The Janus API over RabbitMQ (transports.md 5), against one rabbitmq-server of the file's own: sessions, both APIs, properties,
// exchanges, TLS, a broker that goes away and comes back, one that takes nothing, and one that floods.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bridge } from './lib/bridge.mjs';
import { startRabbitmq } from './lib/rabbitmq.mjs';
import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { jcfg } from './lib/jcfg.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom', SECRET = 'drawbridge';
const ours = { skip: IS_REFERENCE && 'not tried against the reference yet' };

let broker, folder, ca;
const open = (exchange, key, queue, binding = []) => bridge(['/usr/bin/python3', 'amqp_peer.py', String(broker.port), exchange, key, queue, ...binding]);

function start({ general = {}, admin, core } = {}) {
  return startServer({
    name: 'api-rabbitmq', core: { ...core, transports: { disable: '' }, general: { admin_secret: SECRET, ...core?.general } },
    files: {
      'janus.transport.rabbitmq.jcfg': jcfg({
        general: { enabled: true, host: '127.0.0.1', port: broker?.port ?? 9, to_janus: 'to-janus', from_janus: 'from-janus', ...general },
        ...(admin && { admin: { admin_enabled: true, to_janus_admin: 'to-admin', from_janus_admin: 'from-admin', ...admin } }),
      }),
    },
  });
}

async function connected(client) {
  for (let tries = 0; ; tries++)
    try {
      return await client.request({ janus: 'ping' }, 500);
    } catch (error) {
      if (tries === 60)
        throw error;
    }
}

const properties = client => client.socket.words.filter(([word]) => word === 'on').map(([, rest]) => JSON.parse(rest.slice(rest.indexOf(' ') + 1)));

describe('a broker that cannot be used', ours, () => {
  test('it was never there: the server serves all others, and ends in time', async () => {
    const server = await start();
    await server.logged(/RabbitMQ: no connection to 127\.0\.0\.1, port 9/);
    const other = await server.connect();
    assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
    other.close();
    await server.stop();
  });

  test('a configuration that says too little, or the secret of the sample files', async () => {
    const server = await start({ general: { from_janus: '' } });
    assert.match(server.log(), /to_janus or from_janus is missing/);
    await server.stop();
    const sample = await start({ general: { host: '192.0.2.1' }, admin: {}, core: { general: { admin_secret: 'janusoverlord' } } });
    assert.match(sample.log(), /the Admin API is not served/);
    await sample.stop();
  });
});

describe('RabbitMQ', ours, () => {
  let server, client;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cardea-rabbit-tls-'));
    ca = join(folder, 'cert.pem');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(folder, 'key.pem'), '-out', ca, '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
    broker = await startRabbitmq({ tls: { ca, cert: ca, key: join(folder, 'key.pem') } });
    server = await start({ admin: {}, general: { heartbeat: 10 }, core: { general: { session_timeout: 0 } } });     /* a broker may take a minute to start */
    client = await open('-', 'to-janus', 'from-janus');
    await connected(client);
  });
  after(async () => { client?.close(); await server?.stop(); await broker?.stop(); rmSync(folder, { recursive: true, force: true }); });

  test('a session from its creation to its end', async () => {
    assert.equal((await client.request({ janus: 'info' })).transports['janus.transport.rabbitmq'].version, 1);
    const session = await client.session();
    const handle = await session.attach(ECHO);
    const { event } = await handle.message({ audio: true });
    assert.equal(event.plugindata.data.result, 'ok');
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    assert.equal((await handle.detach()).janus, 'success');
    await handle.next(m => m.janus === 'detached');
    assert.equal((await session.destroy()).janus, 'success');
    assert.equal((await session.request({ janus: 'keepalive' })).error.code, 458);
  });

  test('a reply has the correlation id of its request, an event none', async () => {
    const session = await client.session(), handle = await session.attach(ECHO);
    const before = properties(client).length;
    client.socket.say(`publish c-1 ${Buffer.from(JSON.stringify({ janus: 'message', session_id: session.id, handle_id: handle.id, transaction: 'm', body: { audio: true } })).toString('base64')}`);
    await client.next(m => m.transaction === 'm' && m.janus === 'ack');
    await client.next(m => m.transaction === 'm' && m.janus === 'event');
    const common = { reply_to: 'Janus', type: 'application/json' };
    assert.deepEqual(properties(client).slice(before), [{ correlation: 'c-1', ...common }, { correlation: null, ...common }]);
    client.socket.say(`publish c-2 ${Buffer.from('{').toString('base64')}`);
    assert.equal((await client.next(m => m.janus === 'error')).error.code, 454);
    assert.equal(properties(client).at(-1).correlation, 'c-2');
  });

  test('several handles of one broker see each what is theirs', async () => {
    const handles = await Promise.all([1, 2, 3].map(async () => (await client.session()).attach(ROOM)));
    const { room } = await handles[0].sync({ request: 'create' });
    for (const handle of handles)
      assert.equal((await handle.message({ request: 'join', ptype: 'publisher', room })).data.videoroom, 'joined');
    await handles[0].sync({ request: 'destroy', room });
    for (const handle of handles)
      assert.equal((await handle.event(data => data.videoroom === 'destroyed')).room, room);
  });

  test('what is no JSON, no object, empty, of many frames, too long', async () => {
    assert.match((await client.refused('{"janus":')).error.reason, /^Invalid Janus API request - <buffer>\(1,\d+\): /);
    assert.equal((await client.refused('[1]')).error.code, 456);
    assert.equal((await client.refused('{} {}')).error.code, 454);
    assert.equal((await client.refused('')).error.code, 454);
    assert.equal((await client.request({ janus: 'ping', filler: 'x'.repeat(1_000_000) })).janus, 'pong');
    assert.equal((await client.refused('x'.repeat((1 << 20) + 1))).error.code, 454);
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
  });

  test('the Admin API has queues of its own', async () => {
    const admin = await open('-', 'to-admin', 'from-admin');
    const session = await client.session();
    assert.ok((await admin.request({ janus: 'list_sessions', admin_secret: SECRET })).sessions.includes(session.id));
    assert.equal((await admin.request({ janus: 'list_sessions', admin_secret: 'wrong' })).error.code, 403);
    assert.equal((await admin.refused('{"janus":')).error.code, 456);
    assert.equal((await client.request({ janus: 'list_sessions', admin_secret: SECRET })).error.code, 457);
    admin.close();
  });

  test('a flood is answered, and others are served meanwhile', async () => {
    const other = await server.connect();
    const count = 1000;
    for (let i = 0; i < count; i++)
      client.send({ janus: 'ping', transaction: `f${i}` });
    for (let i = 0; i < 20; i++)
      assert.equal((await other.request({ janus: 'ping' }, 5000)).janus, 'pong');
    for (let i = 0; i < count; i++)
      await client.next(m => m.transaction === `f${i}`);
    other.close();
  });

  test('an exchange of its own, with topics', async () => {
    const topical = await start({ general: { janus_exchange: 'calls', janus_exchange_type: 'topic', queue_name: 'calls-in', to_janus: 'calls.in', from_janus: 'calls.out', queue_autodelete: true } });
    const peer = await open('calls', 'calls.in', 'mine', ['calls.out']);
    await connected(peer);
    assert.equal((await (await peer.session()).destroy()).janus, 'success');
    peer.close();
    await topical.stop();
  });

  test('TLS: a broker that is known by its certificate is spoken with, another is not, unless nobody asks', async () => {
    const queues = { to_janus: 'to-tls', from_janus: 'from-tls' };
    const peer = await open('-', 'to-tls', 'from-tls');
    for (const more of [{ host: 'localhost', ssl_verify_peer: true, ssl_verify_hostname: true, ssl_cacert: ca }, {}]) {
      const careful = await start({ general: { port: broker.tlsPort, ssl_enabled: true, ...queues, ...more } });
      await connected(peer);
      await careful.stop();
    }
    const refusing = await start({ general: { port: broker.tlsPort, ssl_enabled: true, ssl_verify_peer: true, ...queues } });
    await refusing.logged(/RabbitMQ: no connection to 127\.0\.0\.1/);
    await refusing.stop();
    peer.close();
  });

  test('a broker that takes nothing is waited for, and nobody else waits', { skip: process.env.SHORT && 'rabbitmqctl takes its time' }, async () => {
    const session = await client.session(), handle = await session.attach(ROOM);
    const { room } = await handle.sync({ request: 'create' });
    await handle.message({ request: 'join', ptype: 'publisher', room });
    broker.ctl('set_vm_memory_high_watermark', '0.0001');
    const other = await server.connect();
    const remover = await (await other.session()).attach(ROOM);
    await remover.sync({ request: 'destroy', room });
    assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
    broker.ctl('set_vm_memory_high_watermark', '0.6');
    assert.equal((await handle.event(data => data.videoroom === 'destroyed', 30000)).room, room);
    other.close();
  });

  test('the broker goes away and comes back: sessions stay, queues are declared anew', { skip: process.env.SHORT && 'the broker takes its time to start' }, async () => {
    const session = await client.session();
    await broker.end();
    await server.logged(/RabbitMQ: no connection to 127\.0\.0\.1/);
    await broker.start();
    await connected(client);
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
  });
});
