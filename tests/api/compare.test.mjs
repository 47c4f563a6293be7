// The load generator's room, with every packet verified, in turns against two servers and against the floor (tools/load/compare.c): what
// scripts/bench.sh makes docs/PERFORMANCE.md's tables of.

import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { BIN, ROOT, startServer } from './lib/server.mjs';

const candidates = [join(dirname(BIN), 'tools/load/cardea-load'), ...['release', 'gcc'].map(name => join(ROOT, 'build', name, 'tools/load/cardea-load'))];
const LOAD = candidates.find(existsSync);
const there = { skip: LOAD === undefined ? 'no cardea-load in build/' : false, concurrency: true };
const inside = {
  core: { nat: { ice_enforce_list: '127.0.0.1' } },
  rooms: { 'room-1234': { description: 'load', publishers: 3 } },
};

function compare(server, other) {
  const args = ['room', '--json', '--server', `127.0.0.1:${server.port}`, '--pid', `${server.pid}`, '--ip', '127.0.0.1', '--count', '3', '--seconds', '1',
    '--rounds', '1', '--media', 'video', '--burst', '5', '--fps', '50', '--compare', other];
  return new Promise(done => execFile(LOAD, args, { timeout: 60000 }, (error, out, err) => done({ code: error === null ? 0 : error.code, result: out ? JSON.parse(out) : null, err })));
}

describe('cardea-load --compare', there, () => {
  test('two servers in turns: nothing is lost or changed, and the ratio is that of what is told', async () => {
    const [one, two] = await Promise.all([startServer({ name: 'api-compare-1', ...inside }), startServer({ name: 'api-compare-2', ...inside })]);
    const { code, result, err } = await compare(one, `127.0.0.1:${two.port},${two.pid}`);
    assert.equal(code, 0, err);
    for (const side of ['first', 'second'])
      for (const row of ['wrong_bytes', 'wrong_numbers', 'repeated', 'lost_video'])
        assert.equal(result[row][side].median, 0, `${side}: ${row}`);
    const { first, second, ratio } = result.server_cpu_per_packet;
    assert.ok(first.median > 0 && second.median > 0);
    assert.ok(Math.abs(ratio.median - second.median / first.median) < 0.05 * ratio.median + 0.01, JSON.stringify(result.server_cpu_per_packet));
    await Promise.all([one.stop(), two.stop()]);
  });

  test('the floor beside a server', async () => {
    const server = await startServer({ name: 'api-compare-floor', ...inside });
    const { code, result, err } = await compare(server, 'floor');
    assert.equal(code, 0, err);
    assert.ok(result.server_cpu_per_packet.second.median > 0);
    await server.stop();
  });
});
