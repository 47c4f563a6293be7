// Permanent rooms: kept in janus.plugin.videoroom.jcfg, there again after a restart, and the file is always a whole one.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { chmodSync, existsSync, readFileSync, renameSync, mkdtempSync, statSync, writeFileSync, copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

const ROOM = 'janus.plugin.videoroom', FILE = 'janus.plugin.videoroom.jcfg';
const skip = IS_REFERENCE && 'its own file is its own affair';
const servers = [];
after(async () => { for (const server of servers) if (server.hasEnded() === null) await server.stop(); });

async function start(text, name) {
  const server = await startServer({ name: `api-permanent-${name}`, files: text === null ? {} : { [FILE]: text } });
  servers.push(server);
  return server;
}

async function inRoom(server) {
  const client = await server.connect();
  const session = await client.session();
  return { client, handle: await session.attach(ROOM) };
}

const text = server => readFileSync(join(server.dir, FILE), 'utf8');
const numbers = async handle => (await handle.message({ request: 'list' })).data.list.map(room => room.room).sort((a, b) => a - b);

test('rooms are created, edited and destroyed for good, and what else is in the file stays', { skip }, async () => {
  const server = await start('# rooms of ours\ngeneral: { events = false; admin_key = "k" }\nroom-1: { description = "one"; secret = "s" }\n/* the end */\n', 'keep');
  chmodSync(join(server.dir, FILE), 0o600);
  const { client, handle } = await inRoom(server);
  for (const room of [20, 21, 22])
    assert.deepEqual((await handle.message({ request: 'create', room, admin_key: 'k', permanent: true, description: `room "${room}"` })).data,
      { videoroom: 'created', room, permanent: true });
  assert.deepEqual((await handle.message({ request: 'edit', room: 20, new_pin: 'p', permanent: true })).data, { videoroom: 'edited', room: 20, permanent: true });
  assert.deepEqual((await handle.message({ request: 'destroy', room: 21, permanent: true })).data, { videoroom: 'destroyed', room: 21, permanent: true });
  await handle.message({ request: 'create', room: 30, admin_key: 'k' });
  assert.equal(statSync(join(server.dir, FILE)).mode & 0o777, 0o600);
  assert.ok(!existsSync(join(server.dir, `${FILE}.new`)));
  const kept = text(server);
  client.close();
  await server.stop();

  const again = await start(kept, 'again');
  const second = await inRoom(again);
  assert.deepEqual(await numbers(second.handle), [1, 20, 22]);
  const room = (await second.handle.message({ request: 'list' })).data.list.find(r => r.room === 20);
  assert.equal(room.description, 'room "20"');
  assert.equal(room.pin_required, true);
  assert.equal((await second.handle.message({ request: 'create', room: 40, permanent: true })).data.error_code, 429, 'the admin key is still asked for');
  assert.equal((await second.handle.message({ request: 'destroy', room: 1, secret: 'no' })).data.error_code, 433);
  second.client.close();
  await again.stop();
});

test('while a save waits, others are answered; what can not be saved is not claimed', { skip }, async () => {
  const server = await start('general: { events = false }\n', 'broken');
  const { client, handle } = await inRoom(server);
  const aside = mkdtempSync(join(tmpdir(), 'cardea-aside-'));
  renameSync(server.dir, join(aside, 'gone'));
  const many = [];
  for (let room = 1; room <= 20; room++)
    many.push(handle.message({ request: 'create', room, permanent: true }));
  many.push(handle.message({ request: 'exists', room: 20 }));
  const replies = (await Promise.all(many)).map(r => r.data);
  assert.ok(replies.slice(0, 20).every((r, i) => r.videoroom === 'created' && r.room === i + 1 && r.permanent === false), JSON.stringify(replies));
  assert.equal(replies[20].exists, true);
  renameSync(join(aside, 'gone'), server.dir);
  rmSync(aside, { recursive: true });
  assert.equal((await handle.message({ request: 'create', room: 99, permanent: true })).data.permanent, true);
  assert.match(text(server), /room-99/);
  assert.doesNotMatch(text(server), /room-20\b/);
  client.close();
  await server.stop();
});

test('killed at any moment of a write, the file is the old one or the new one', { skip }, async () => {
  const big = 'x'.repeat(20000);
  let file = 'general: { events = false }\n', rooms = 0;
  for (let round = 0; round < 8; round++) {
    const server = await start(file, `kill-${round}`);
    const { client, handle } = await inRoom(server);
    const before = await numbers(handle);
    assert.ok(before.length >= rooms, `${before.length} of the ${rooms} that were confirmed`);
    let confirmed = before.length;
    const writing = (async () => {
      for (let room = 1000 * (round + 1); ; room++)
        if ((await handle.message({ request: 'create', room, permanent: true, description: big })).data.permanent)
          confirmed++;
    })().catch(() => {});
    await sleep(30 + 17 * round);
    server.kill('SIGKILL');
    await server.exited;
    client.close();
    await writing;
    file = text(server);
    assert.ok(file.endsWith('\n') || file.endsWith('}'), 'whole');
    rooms = confirmed;
  }
  const last = await start(file, 'last');
  const { client, handle } = await inRoom(last);
  assert.ok((await numbers(handle)).length >= rooms, 'what was confirmed is there');
  client.close();
  await last.stop();
});
