// Events published to an MQTT broker (event-handlers.md 5.4), against a mosquitto of the test's own: topics, `eventtype`, the status, MQTT 5,
// and a broker that goes away and comes back.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { bridge } from './lib/bridge.mjs';
import { withHandlers } from './lib/collector.mjs';
import { startMosquitto } from './lib/mosquitto.mjs';
import { IS_REFERENCE, startServer } from './lib/server.mjs';

const ours = { skip: IS_REFERENCE && 'not tried against the reference yet' };
const open = (broker, version = '3') => bridge(['/usr/bin/python3', 'mqtt_peer.py', String(broker.port), version, 'nowhere', 'ev/#']);
const start = (broker, more = {}) => {
  const { core, files } = withHandlers({ mqttevh: { url: `tcp://localhost:${broker.port}`, client_id: 'events', topic: 'ev', ...more } });
  return startServer({ name: 'api-events-mqtt', core, files });
};
const on = client => client.socket.words.filter(([word]) => word === 'on').map(([, rest]) => [rest.split(' ')[0], JSON.parse(rest.slice(rest.indexOf(' ') + 1))]);

async function sessionOf(server) {
  const client = await server.connect();
  const session = await client.session();
  await session.destroy();
  client.close();
  return session.id;
}

describe('the MQTT event handler', ours, () => {
  let broker;
  before(async () => { broker = await startMosquitto(); });
  after(async () => { await broker?.stop(); });

  test('each kind at its topic, with its name in it; the status at the start and the end', async () => {
    const watcher = await open(broker);
    const server = await start(broker);
    assert.equal((await watcher.next(m => m.event === 'connected')).eventhandler, 'janus.eventhandler.mqttevh');
    const id = await sessionOf(server);
    const created = await watcher.next(m => m.session_id === id && m.event.name === 'created');
    assert.deepEqual(Object.keys(created), ['emitter', 'type', 'timestamp', 'session_id', 'event', 'eventtype']);
    assert.equal(created.eventtype, 'Sessions');
    await watcher.next(m => m.session_id === id && m.event.name === 'destroyed');
    assert.equal((await watcher.next(m => m.type === 256)).event.status, 'started');
    const topics = new Set(on(watcher).map(([topic]) => topic));
    assert.ok(['ev/status', 'ev/sessions', 'ev/core'].every(topic => topics.has(topic)), [...topics].join());
    await server.stop();
    await watcher.next(m => m.event === 'disconnected');
    watcher.close();
  });

  test('the broker goes away and comes back: what waits is sent then', async () => {
    const watcher = await open(broker);
    const server = await start(broker, { events: 'sessions' });
    await watcher.next(m => m.event === 'connected');
    await broker.end();
    await server.logged(/MQTT event handler: no connection to localhost/);
    const id = await sessionOf(server);
    await broker.start();
    await watcher.next(m => m.session_id === id && m.event.name === 'destroyed', 20000);
    watcher.close();
    await server.stop();
  });

  test('MQTT 5: properties of every event', async () => {
    const watcher = await open(broker, '5');
    const server = await start(broker, { mqtt_version: '5', events: 'sessions', add_user_properties: [['from', 'gate']] });
    const id = await sessionOf(server);
    await watcher.next(m => m.session_id === id);
    assert.deepEqual(on(watcher).filter(([topic]) => topic === 'ev/sessions')[0][1].user, [['from', 'gate']]);
    watcher.close();
    await server.stop();
  });

  test('a version that is none: it is not running, and the server is', async () => {
    const server = await start(broker, { mqtt_version: '4' });
    assert.match(server.log(), /MQTT event handler: url, mqtt_version, topic or the certificates can't be used/);
    await server.stop();
  });
});
