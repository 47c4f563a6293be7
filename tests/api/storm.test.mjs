// The storm in short (tools/load: cardea-load storm; the long form and its figures: docs/RELIABILITY.md): clients that do everything at once,
// without waiting for answers. Every request is answered, and afterwards somebody new is served as if nothing had been.
//
//   CARDEA_LOAD      the load generator; default: of the build of CARDEA_BIN, else build/release's or build/gcc's

import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { BIN, ROOT, startServer } from './lib/server.mjs';

const SHORT_SECONDS = 4;
const candidates = [join(dirname(BIN), 'tools/load/cardea-load'), ...['release', 'gcc'].map(name => join(ROOT, 'build', name, 'tools/load/cardea-load'))];
const LOAD = process.env.CARDEA_LOAD ? resolve(process.env.CARDEA_LOAD) : candidates.find(existsSync);
const there = { skip: LOAD === undefined ? 'no cardea-load in build/' : false };

function storm(server, ...more) {
  const args = ['storm', '--json', '--server', `127.0.0.1:${server.port}`, '--pid', `${server.pid}`, '--ip', '127.0.0.1', '--seconds', `${SHORT_SECONDS}`, ...more];
  return new Promise(done => execFile(LOAD, args, { timeout: 60000 }, (error, out, err) =>
    done({ code: error === null ? 0 : error.code, result: out ? JSON.parse(out) : null, err })));
}

const inside = { core: { nat: { ice_enforce_list: '127.0.0.1' } } };

describe('a storm', there, () => {
  test('every request is answered, and what is left is what was there before', async () => {
    const server = await startServer({ name: 'api-storm', ...inside });
    const { code, result, err } = await storm(server, '--count', '60', '--pause', '40');
    assert.equal(result?.verdict, 'survived', err);
    assert.equal(result.missing, 0, `no answer to: ${result.missing_request}`);
    assert.equal(code, 0);
    assert.ok(result.requests > 500, `${result.requests}`);
    assert.ok(result.answered + result.abandoned === result.requests);
    assert.ok(result.calls_up > 0 && result.vanished > 0 && result.errors > 0);
    assert.ok(result.descriptors_after <= result.descriptors_before + 1, 'its own last connection at most');
    const client = await server.connect();
    const list = await (await (await client.session()).attach('janus.plugin.videoroom')).sync({ request: 'list' });
    for (const room of list.list)
      assert.equal(room.num_participants, 0, 'nobody stays in a room');
    client.close();
    await server.stop();
  });

  test('with descriptors for a quarter of the clients: the others wait or are refused, and nobody who is in goes without an answer', async () => {
    const server = await startServer({ name: 'api-storm-nofile', ...inside, wrap: ['prlimit', '--nofile=50:50'] });
    const { code, result, err } = await storm(server, '--count', '60', '--pause', '40');
    assert.equal(result?.verdict, 'survived', err);
    assert.equal(result.missing, 0, `no answer to: ${result.missing_request}`);
    assert.equal(code, 0);
    assert.ok(result.requests > 100, JSON.stringify(result));
    assert.ok(result.connects_refused > 0 || result.connect_worst > 100, `nobody was refused or had to wait: ${JSON.stringify(result)}`);
    await server.stop();
  });
});
