// Ten thousand clients at once, idle but for one ping each: all are answered, threads and sockets stay what they were. The short
// form has 2,000; FULL=1 has all of them. Memory per client is printed; the figure itself is the bench's to hold.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync, readdirSync } from 'node:fs';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { rawWebSocket, request } from './lib/raw.mjs';

const COUNT = process.env.FULL ? 10000 : 2000;
const SLOW = /asan|tsan/.test(process.env.CARDEA_BIN ?? '');

const status = (server, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);
const descriptors = server => readdirSync(`/proc/${server.pid}/fd`).length;

test(`${COUNT} clients`, { skip: IS_REFERENCE && 'not the reference\'s to stand' }, async () => {
  const limit = Number(/Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))[1]);
  const count = Math.min(COUNT, limit - 200);
  if (count < COUNT)
    console.log(`    only ${count}: this shell's descriptor limit is ${limit}`);
  const server = await startServer({ name: 'api-many' });
  const client = await server.connect();
  const [threads, before, idle] = [status(server, 'Threads'), status(server, 'VmRSS'), descriptors(server)];

  const all = [];
  for (let i = 0; i < count; i += 100)
    all.push(...await Promise.all(Array.from({ length: Math.min(100, count - i) }, () => rawWebSocket(server.port))));
  const connected = status(server, 'VmRSS');
  assert.equal(descriptors(server), idle + count, 'one descriptor each');
  assert.equal(status(server, 'Threads'), threads);

  const begun = Date.now();
  for (const [i, raw] of all.entries())
    raw.write(request({ janus: 'ping', transaction: `p${i}` }));
  await Promise.all(all.map(async (raw, i) => assert.deepEqual(await raw.message(60000), { janus: 'pong', transaction: `p${i}` })));
  const took = Date.now() - begun;
  const after = status(server, 'VmRSS');
  assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
  console.log(`    ${count} clients: ${threads} threads, ${((connected - before) * 1024 / count).toFixed(0)} bytes each when connected, ${((after - before) * 1024 / count).toFixed(0)} after a ping, all pings in ${took} ms`);
  if (!SLOW)
    assert.ok((after - before) * 1024 / count < 4096, 'far more than it may be');

  for (const raw of all)
    raw.socket.destroy();
  for (let i = 0; descriptors(server) !== idle; i++) {
    assert.ok(i < 200, `${descriptors(server)} descriptors, ${idle} at first`);
    await new Promise(done => setTimeout(done, 50));
  }
  client.close();
  await server.stop();
});
