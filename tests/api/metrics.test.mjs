// What the HTTP listener of the Admin API shows beside it: /metrics, /healthz, /readyz, the log's last lines (docs/OPERATORS.md, Monitoring).
// Numbers are read by a strict parser of our own (lib/metrics.mjs), and by promtool where there is one:
// ./test fetches it, its short form does not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { jcfg } from './lib/jcfg.mjs';
import { parseMetrics } from './lib/metrics.mjs';
import { freePort, IS_REFERENCE, ROOT, startServer } from './lib/server.mjs';

const skip = { skip: IS_REFERENCE && 'beyond the reference' };
const SECRET = 'admin-secret-marker', TOKEN = 'metrics-token-marker', API = 'api-secret-marker', ROOM_SECRET = 'room-secret-marker', PIN = 'pin-marker';
const CLIENTS_WORDS = ['opaque-marker', 'room-marker', 'display-marker', 'verb-marker', 'plugin-marker', 'request-marker'];

const PROMTOOL = join(ROOT, 'build/tools/promtool');

let server, base;

const get = (path, headers = {}) => fetch(`${base}${path}`, { headers });
const withToken = token => ({ authorization: `Bearer ${token}` });
const elsewhere = { 'x-forwarded-for': '192.0.2.7' };          /* a proxy on this machine: not this machine's any more */

async function scrape() {
  const answer = await get('/metrics');
  assert.equal(answer.status, 200);
  return parseMetrics(await answer.text());
}

/* The value of a sample, 0 when it isn't there (yet). */
const value = (families, name, labels = {}) =>
  families.samples.find(s => s.name === name && Object.entries(labels).every(([k, v]) => s.labels[k] === v))?.value ?? 0;

before(async () => {
  if (IS_REFERENCE)
    return;
  const port = await freePort();
  base = `http://127.0.0.1:${port}`;
  server = await startServer({
    name: 'api-metrics', core: { general: { admin_secret: SECRET, metrics_token: TOKEN, api_secret: API, drain_timeout: 60 } },
    ready: async s => { const c = await s.connect(); const pong = await c.request({ janus: 'ping', apisecret: API }); c.close(); return pong.janus === 'pong'; },
    files: { 'janus.transport.http.jcfg': jcfg({ general: { http: false }, admin: { admin_http: true, admin_ip: '127.0.0.1', admin_port: port } }) },
  });
});
after(() => server?.stop());

describe('numbers', skip, () => {
  test('every actor answers, and promtool has nothing to say', async t => {
    const text = await (await get('/metrics')).text();
    const families = parseMetrics(text);
    const up = families.samples.filter(s => s.name === 'cardea_actor_up');
    for (const actor of ['main', 'io', 'control', 'log', 'dns', 'disk-0', 'disk-1', 'poster', 'worker-0'])
      assert.ok(up.some(s => s.labels.actor === actor), actor);
    assert.ok(up.every(s => s.value === 1), JSON.stringify(up));
    const promtool = spawnSync(existsSync(PROMTOOL) ? PROMTOOL : 'promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    if (promtool.error)
      t.diagnostic('there is no promtool (scripts/promtool.sh gets it): only our own parser has looked');
    else
      assert.deepEqual([promtool.status, promtool.stdout, promtool.stderr], [0, '', '']);
  });

  test('they follow what happens: sessions, handles, rooms, requests, refusals', async () => {
    const before = await scrape();
    const client = await server.connect();
    const ask = request => client.request({ apisecret: API, ...request });
    const session_id = (await ask({ janus: 'create' })).data.id;
    const handle_id = (await ask({ janus: 'attach', session_id, plugin: 'janus.plugin.videoroom', opaque_id: 'opaque-marker' })).data.id;
    const message = body => ask({ janus: 'message', session_id, handle_id, body });
    await message({ request: 'create', description: 'room-marker', secret: ROOM_SECRET, pin: PIN });
    await message({ request: 'request-marker' });
    await ask({ janus: 'verb-marker', session_id });
    await ask({ janus: 'attach', session_id, plugin: 'plugin-marker' });
    await ask({ janus: 'create', apisecret: 'wrong' });
    const now = await scrape();
    const grown = (name, labels) => value(now, name, labels) - value(before, name, labels);
    assert.equal(grown('cardea_sessions'), 1);
    assert.equal(grown('cardea_handles', { plugin: 'janus.plugin.videoroom' }), 1);
    assert.equal(grown('cardea_rooms', { plugin: 'janus.plugin.videoroom' }), 1);
    assert.equal(grown('cardea_sessions_total', { what: 'created' }), 1);
    assert.equal(grown('cardea_request_seconds_count', { verb: 'create' }), 2);
    assert.equal(grown('cardea_request_seconds_count', { verb: 'message', plugin: 'janus.plugin.videoroom' }), 2);
    assert.equal(grown('cardea_request_seconds_count', { verb: 'other' }), 1);
    for (const code of ['403', '453', '460'])
      assert.equal(grown('cardea_request_errors_total', { code }), 1, code);
    assert.equal(grown('cardea_refused_total', { cause: 'unauthorized' }), 1);
    assert.ok(grown('cardea_actor_turn_seconds_count', { actor: 'control' }) >= 8);
    assert.ok(value(now, 'process_resident_memory_bytes') > 1e6 && value(now, 'process_open_fds') > 10);
    client.close();
  });

  test('nothing that a client chose is in them, nor any secret', async () => {
    const text = await (await get('/metrics')).text();
    for (const word of [...CLIENTS_WORDS, SECRET, TOKEN, API, ROOM_SECRET, PIN])
      assert.ok(!text.includes(word), word);
  });

  test('from elsewhere they need the token', async () => {
    assert.equal((await get('/metrics', elsewhere)).status, 401);
    assert.equal((await get('/metrics', { ...elsewhere, ...withToken('wrong') })).status, 401);
    assert.equal((await get('/metrics', { ...elsewhere, ...withToken(TOKEN) })).status, 200);
    const answer = await get('/metrics');
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
    await answer.text();
  });

  test('many at once are one scrape; whoever goes meanwhile is no harm', async () => {
    const gone = new AbortController();
    const given = Array.from({ length: 20 }, () => fetch(`${base}/metrics`, { signal: gone.signal }).catch(() => null));
    const all = Array.from({ length: 50 }, () => get('/metrics').then(a => a.text()));
    gone.abort();
    await Promise.all(given);
    for (const text of await Promise.all(all))
      parseMetrics(text);
  });
});

describe('health and the log', skip, () => {
  test('alive and ready, for everybody', async () => {
    for (const [path, text] of [['/healthz', 'alive\n'], ['/readyz', 'ready\n']]) {
      const answer = await get(path, elsewhere);
      assert.deepEqual([answer.status, await answer.text()], [200, text]);
    }
  });

  test('not ready while the operator refuses sessions', async () => {
    const admin = request => fetch(`${base}/admin`, { method: 'POST', body: JSON.stringify({ transaction: 't', admin_secret: SECRET, ...request }) }).then(a => a.json());
    assert.equal((await admin({ janus: 'accept_new_sessions', accept: false })).accept, false);
    const answer = await get('/readyz');
    assert.deepEqual([answer.status, await answer.text()], [503, 'new sessions are refused\n']);
    assert.equal((await admin({ janus: 'accept_new_sessions', accept: true })).accept, true);
    assert.equal((await get('/readyz')).status, 200);
  });

  test('the log\'s last lines need the secret, and hold none', async () => {
    assert.equal((await get('/operators/log')).status, 401);
    assert.equal((await get('/operators/log', withToken(TOKEN))).status, 401);
    const { last, lines } = await (await get('/operators/log', withToken(SECRET))).json();
    assert.ok(lines.length > 3 && last === lines.at(-1).serial);
    assert.ok(lines.some(line => /Plugin janus.plugin.videoroom started/.test(line.text)));
    const text = JSON.stringify(lines);
    for (const secret of [SECRET, TOKEN, API, ROOM_SECRET, PIN])
      assert.ok(!text.includes(secret), secret);
    assert.deepEqual((await (await get(`/operators/log?after=${last}`, withToken(SECRET))).json()).lines, []);
  });

  test('draining: alive, but not ready', async () => {
    const client = await server.connect();
    const { data } = await client.request({ janus: 'create', apisecret: API });
    server.kill('SIGTERM');
    await client.next(m => m.janus === 'draining');
    const answer = await get('/readyz');
    assert.deepEqual([answer.status, await answer.text()], [503, 'draining\n']);
    assert.equal((await get('/healthz')).status, 200);
    assert.equal(value(await scrape(), 'cardea_draining'), 1);
    await client.request({ janus: 'destroy', apisecret: API, session_id: data.id });
    assert.equal((await server.exited).code, 0);
  });
});

/* Grafana itself can't run where the tests do: what its dashboard asks for must at least exist. */
test('every query of the dashboard names a metric that exists', () => {
  const source = readFileSync(join(ROOT, 'src/base/metrics.h'), 'utf8');
  const known = new Set();
  for (const [, kind, name] of source.matchAll(/X\(\w+, (\w+), (?:true|false), "(\w+)"/g))
    (kind === 'HISTOGRAM' ? ['_bucket', '_sum', '_count'] : ['']).forEach(end => known.add(name + end));
  const folder = join(ROOT, 'packaging/grafana');
  const files = existsSync(folder) ? readdirSync(folder).filter(f => f.endsWith('.json')) : [];
  assert.ok(known.size > 60 && files.length > 0);
  let queries = 0;
  for (const file of files) {
    const dashboard = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    for (const { query } of dashboard.templating.list.filter(v => v.type === 'query'))
      assert.ok(known.has(/\((\w+)/.exec(query)[1]), query);
    for (const panel of dashboard.panels.flatMap(p => [p, ...(p.panels ?? [])]))
      for (const { expr } of panel.targets ?? []) {
        queries++;
        const names = expr.match(/\b(?:cardea|process)_\w+/g) ?? [];
        assert.ok(names.length > 0, expr);
        for (const name of names)
          assert.ok(known.has(name), `${name} in ${expr}`);
      }
  }
  assert.ok(queries > 20);
});
