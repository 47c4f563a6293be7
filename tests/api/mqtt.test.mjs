// The Janus API over MQTT (transports.md 6), against a mosquitto of the test's own: sessions, both APIs, MQTT 5, TLS, a broker that
// goes away and comes back, and one that floods.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { bridge } from './lib/bridge.mjs';
import { startMosquitto } from './lib/mosquitto.mjs';
import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { jcfg } from './lib/jcfg.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom', SECRET = 'drawbridge';
const ours = { skip: IS_REFERENCE && 'not tried against the reference yet' };

const open = (broker, { version = '3', to = 'to-janus', from = ['from-janus'] } = {}) =>
  bridge(['/usr/bin/python3', 'mqtt_peer.py', String(broker.port), version, to, ...from]);

function start(broker, { general = {}, status, core } = {}) {
  return startServer({
    name: 'api-mqtt', core: { ...core, transports: { disable: '' }, general: { admin_secret: SECRET, ...core?.general } },
    files: {
      'janus.transport.mqtt.jcfg': jcfg({
        general: { enabled: true, url: `tcp://127.0.0.1:${broker.port}`, client_id: 'server', subscribe_topic: 'to-janus', publish_topic: 'from-janus', ...general },
        admin: { admin_enabled: true, subscribe_topic: 'to-admin', publish_topic: 'from-admin' },
        ...(status && { status }),
      }),
    },
  });
}

/* The server has subscribed when a ping comes back. */
async function connected(client) {
  for (let tries = 0; ; tries++)
    try {
      return await client.request({ janus: 'ping' }, 300);
    } catch (error) {
      if (tries === 40)
        throw error;
    }
}

const on = (client, topic) => client.socket.words.filter(([word, rest]) => word === 'on' && rest.startsWith(`${topic} `))
  .map(([, rest]) => JSON.parse(rest.slice(topic.length + 1)));

describe('MQTT 3.1.1', ours, () => {
  let broker, server, client;
  before(async () => {
    broker = await startMosquitto();
    server = await start(broker, { status: { enabled: true, topic: 'status', connect_message: '{"is":"up"}', disconnect_message: '{"is":"down"}', retain: true } });
    client = await open(broker);
    await connected(client);
  });
  after(async () => { client?.close(); await server?.stop(); await broker?.stop(); });

  test('a session from its creation to its end', async () => {
    const info = await client.request({ janus: 'info' });
    assert.equal(info.transports['janus.transport.mqtt'].version, 1);
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

  test('several clients at one broker see each what is theirs', async () => {
    const others = await Promise.all([open(broker), open(broker)]);
    const handles = await Promise.all([client, ...others].map(async one => (await one.session()).attach(ROOM)));
    const { room } = await handles[0].sync({ request: 'create' });
    for (const handle of handles)
      assert.equal((await handle.message({ request: 'join', ptype: 'publisher', room })).data.videoroom, 'joined');
    await handles[0].sync({ request: 'destroy', room });
    for (const handle of handles)
      assert.equal((await handle.event(data => data.videoroom === 'destroyed')).room, room);
    for (const other of others)
      other.close();
  });

  test('what is no JSON, no object, too long', async () => {
    assert.match((await client.refused('{"janus":')).error.reason, /^Invalid Janus API request - <buffer>\(1,\d+\): /);
    assert.equal((await client.refused('[1]')).error.code, 456);
    assert.equal((await client.refused('{} {}')).error.code, 454);
    assert.equal((await client.refused(Buffer.from([0xff, 0xfe]))).error.code, 454);
    assert.equal((await client.request({ janus: 'ping', filler: 'x'.repeat(1 << 19) })).janus, 'pong');
    assert.equal((await client.refused('x'.repeat((1 << 20) + 1))).error.code, 454);
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
  });

  test('the Admin API has topics of its own', async () => {
    const admin = await open(broker, { to: 'to-admin', from: ['from-admin'] });
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
      assert.equal((await other.request({ janus: 'ping' }, 2000)).janus, 'pong');
    for (let i = 0; i < count; i++)
      await client.next(m => m.transaction === `f${i}`);
    other.close();
  });

  test('the broker goes away and comes back: sessions stay, and what was to be said comes', async () => {
    const watcher = await open(broker, { from: ['status'] });
    const session = await client.session();
    const handle = await session.attach(ROOM);
    const { room } = await handle.sync({ request: 'create' });
    await handle.message({ request: 'join', ptype: 'publisher', room });
    await broker.end();
    const other = await server.connect();
    const remover = await (await other.session()).attach(ROOM);
    await remover.sync({ request: 'destroy', room });                    /* an event for the one who can't be reached */
    await server.logged(/MQTT: no connection to 127\.0\.0\.1/);
    await broker.start();
    assert.equal((await handle.event(data => data.videoroom === 'destroyed', 15000)).room, room);
    await connected(client);
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    await watcher.next(m => m.is === 'up', 15000);
    assert.equal(on(watcher, 'status')[0].qos, 1);
    other.close();
    watcher.close();
  });

  test('at its end the server says so', async () => {
    const watcher = await open(broker, { from: ['status'] });
    await watcher.next(m => m.is === 'up');                              /* retained */
    await server.stop();
    server = null;
    await watcher.next(m => m.is === 'down');
    watcher.close();
  });
});

describe('MQTT 5', ours, () => {
  let broker, server;
  before(async () => {
    broker = await startMosquitto();
    server = await start(broker, { general: { mqtt_version: '5', proxy_transaction_user_properties: ['who'], add_transaction_user_properties: [['from', 'gate']] } });
  });
  after(async () => { await server?.stop(); await broker?.stop(); });

  test('the first answer goes to the response topic with what the request gave it, the event to all', async () => {
    const client = await open(broker, { version: '5', from: ['from-janus', 'mine'] });
    await connected(client);
    const session = await client.session();
    const handle = await session.attach(ECHO);
    assert.equal(on(client, 'mine').length, 0);
    const publish = (message, properties) => client.socket.say(`publish to-janus ${Buffer.from(JSON.stringify(message)).toString('base64')} ${JSON.stringify(properties)}`);
    publish({ janus: 'message', session_id: session.id, handle_id: handle.id, transaction: 'm', body: { audio: true } },
      { response: 'mine', correlation: 'c-1', user: [['who', 'me'], ['other', 'not told']] });
    await client.next(m => m.transaction === 'm' && m.janus === 'ack');
    await client.next(m => m.transaction === 'm' && m.janus === 'event');
    assert.deepEqual(on(client, 'mine'), [{ retain: false, qos: 1, correlation: 'c-1', user: [['who', 'me'], ['from', 'gate']] }]);
    const last = on(client, 'from-janus').at(-1);
    assert.equal(last.correlation, undefined);
    assert.equal(last.user, undefined);

    /* Without a response topic the rest comes all the same; and a topic that is none harms nobody. */
    publish({ janus: 'ping', transaction: 'p' }, { correlation: 'c-2' });
    await client.next(m => m.transaction === 'p');
    assert.equal(on(client, 'from-janus').at(-1).correlation, 'c-2');
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.close();
  });
});

describe('MQTT and TLS', ours, () => {
  let folder, broker;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cardea-mqtt-tls-'));
    const cert = join(folder, 'cert.pem'), key = join(folder, 'key.pem');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
    broker = await startMosquitto({ tls: { cert, key } });
    broker.cert = cert;
  });
  after(async () => { await broker?.stop(); rmSync(folder, { recursive: true, force: true }); });

  test('a broker that is known by its certificate is spoken with', async () => {
    const server = await start(broker, { general: { url: `ssl://localhost:${broker.tlsPort}`, ssl_enabled: true, verify_peer: true, cacertfile: broker.cert } });
    const client = await open(broker);
    await connected(client);
    client.close();
    await server.stop();
  });

  test('one that is not is not, unless nobody asks', async () => {
    const server = await start(broker, { general: { url: `ssl://localhost:${broker.tlsPort}`, ssl_enabled: true, verify_peer: true } });
    await server.logged(/MQTT: no connection to localhost/);
    await server.stop();
    const careless = await start(broker, { general: { url: `ssl://127.0.0.1:${broker.tlsPort}`, ssl_enabled: true } });
    const client = await open(broker);
    await connected(client);
    client.close();
    await careless.stop();
  });
});

describe('MQTT that cannot be used', ours, () => {
  test('a broker that was never there: the server serves all others, and ends in time', async () => {
    const server = await start({ port: 9 });
    await server.logged(/MQTT: no connection to 127\.0\.0\.1, port 9/);
    const other = await server.connect();
    assert.equal((await other.request({ janus: 'ping' })).janus, 'pong');
    other.close();
    await sleep(0);
    await server.stop();
  });

  test('a configuration that says too little, or the secret of the sample files', async () => {
    const server = await start({ port: 9 }, { general: { mqtt_version: '4' } });
    assert.match(server.log(), /mqtt_version = "4" is not known/);
    await server.stop();
    const sample = await start({ port: 9 }, { general: { url: 'tcp://192.0.2.1:1883' }, core: { general: { admin_secret: 'janusoverlord' } } });
    assert.match(sample.log(), /the Admin API is not served: admin_secret is the one of the sample files, and the broker is not on this machine/);
    await sample.stop();
  });
});
