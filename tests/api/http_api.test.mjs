// The Janus API over HTTP and HTTPS (transports.md 2): requests, long polls, ids in paths, CORS, what is refused, and that
// nothing of it stays.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { jcfg } from './lib/jcfg.mjs';

const ROOM = 'janus.plugin.videoroom', ECHO = 'janus.plugin.echotest';
const ours = { skip: IS_REFERENCE && 'this version of the reference has no HTTP transport that can be started like this' };

/* {status, headers, text, body}; `body` is the JSON. */
function call(url, { method = 'GET', body, headers = {}, agent, signal } = {}) {
  return new Promise((done, fail) => {
    const lib = url.startsWith('https') ? https : http;
    const req = lib.request(url, { method, headers, agent, signal, rejectUnauthorized: false }, res => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', data => { text += data; });
      res.on('end', () => {
        let json;
        try { json = JSON.parse(text); } catch { /* not JSON */ }
        done({ status: res.statusCode, headers: res.headers, text, body: json });
      });
      res.on('error', fail);
    });
    req.on('error', fail);
    req.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

async function open({ general = {}, cors, certificates, core, args, port, ...rest } = {}) {
  port ??= await freePort();
  const server = await startServer({
    name: 'api-http-api', core, args, ...rest,
    files: { 'janus.transport.http.jcfg': jcfg({ general: { http: true, ip: '127.0.0.1', port, ...general }, ...(cors && { cors }), ...(certificates && { certificates }) }) },
  });
  server.api = `http://127.0.0.1:${port}/janus`;
  let number = 0;
  server.post = (path, body, more) => call(server.api + path, { method: 'POST', body: { transaction: `t${++number}`, ...body }, ...more });
  server.session = async more => (await server.post('', { janus: 'create', ...more })).body.data.id;
  server.handle = async (session, plugin = ROOM) => (await server.post(`/${session}`, { janus: 'attach', plugin })).body.data.id;
  server.poll = (session, query = '', more) => call(`${server.api}/${session}${query}`, more);
  return server;
}

/* An answer of a VideoRoom, which comes as an event. */
const ask = (server, session, handle, request, transaction) => server.post(`/${session}/${handle}`, { janus: 'message', body: { request }, transaction });

describe('requests', ours, () => {
  let server;
  before(async () => { server = await open(); });
  after(async () => { await server?.stop(); });

  test('info and ping need no body, and are named nowhere else', async () => {
    const info = await call(`${server.api}/info`);
    assert.equal(info.status, 200);
    assert.equal(info.headers['content-type'], 'application/json');
    assert.equal(info.body.janus, 'server_info');
    assert.equal(info.body.transports['janus.transport.http'].version, 2);
    assert.match(info.body.transaction, /^.{11}$/);
    assert.equal((await call(`${server.api}/ping`)).body.janus, 'pong');
    assert.equal((await call(`${server.api}/info/5`)).body.error.code, 458);
    for (const path of ['/info', '/ping'])
      assert.equal((await server.post(path, { janus: 'info' })).status, 400);
  });

  test('a session from its creation to its end', async () => {
    const session = await server.session();
    const handle = await server.handle(session);
    const ack = await ask(server, session, handle, 'list', 'L');
    assert.equal(ack.body.janus, 'success');
    const joined = await server.post(`/${session}/${handle}`, { janus: 'message', body: { request: 'join', ptype: 'publisher', room: 77 }, transaction: 'J' });
    assert.deepEqual(joined.body, { janus: 'ack', session_id: session, transaction: 'J' });
    const event = await server.poll(session);
    assert.equal(event.status, 200);
    assert.equal(event.body.transaction, 'J');
    assert.equal(event.body.sender, handle);
    assert.equal(event.body.plugindata.data.error_code, 426);
    assert.equal((await server.post(`/${session}/${handle}`, { janus: 'detach' })).body.janus, 'success');
    assert.equal((await server.poll(session)).body.janus, 'detached');
    assert.equal((await server.post(`/${session}`, { janus: 'destroy' })).body.janus, 'success');
    assert.equal((await server.poll(session)).status, 404);
    assert.equal((await server.post(`/${session}`, { janus: 'keepalive' })).body.error.code, 458);
  });

  test('ids in the path and in the body', async () => {
    const session = await server.session(), handle = await server.handle(session);
    const keep = { janus: 'keepalive' };
    for (const [path, body, expected] of [
      ['', { session_id: session }, 'ack'], [`/${session}`, {}, 'ack'], [`/${session}`, { session_id: session }, 'ack'], [`/${session}/`, { session_id: 0 }, 'ack'],
      [`/${session}x`, { session_id: 'y' }, 'ack'], [`/${session}`, { session_id: 1 }, 'Conflicting session ID (payload and path)'],
      ['/abc', { session_id: session }, 'Conflicting session ID (payload and path)'], [`/${session}/${handle}`, {}, 'ack'], [`/${session}/${handle}`, { handle_id: handle }, 'ack'],
      [`/${session}/${handle}`, { handle_id: 1 }, 'Conflicting handle ID (payload and path)'], [`/${session}`, { handle_id: handle }, 'ack'],
    ]) {
      const { status, body: reply } = await server.post(path, { ...keep, ...body });
      assert.equal(status, 200);
      assert.equal(reply.janus === 'error' ? reply.error.reason : reply.janus, expected, `${path} ${JSON.stringify(body)}`);
      if (reply.janus === 'error') {
        assert.equal(reply.error.code, 457);
        assert.ok(!('transaction' in reply) && !('session_id' in reply));
      }
    }
    await server.post(`/${session}`, { janus: 'destroy' });
  });

  test('bodies that are no request', async () => {
    for (const [body, code, reason] of [
      ['{', 454, /^JSON error: on line 1: /], ['{}\n{', 454, /^JSON error: on line 2: /], ['{}{}', 454, /^JSON error: on line 1: /], ['[1]', 455, /^JSON error: not an object$/], ['"x"', 454, /^JSON error/],
      ['{}', 456, /transaction/], ['{"transaction":5}', 467, /transaction should be a string/], ['\xff', 454, /^JSON error/],
      [`{"a":${'['.repeat(10000)}`, 454, /^JSON error/],
    ]) {
      const reply = await call(server.api, { method: 'POST', body });
      assert.equal(reply.status, 200);
      assert.equal(reply.body.error.code, code, body.slice(0, 20));
      assert.match(reply.body.error.reason, reason);
      assert.ok(!('transaction' in reply.body));
    }
    assert.equal((await call(server.api, { method: 'POST', body: '' })).status, 400);
    assert.equal((await call(server.api, { method: 'POST', body: 'x'.repeat((1 << 20) + 1) })).status, 413);
    assert.equal((await call(server.api, { method: 'POST', body: JSON.stringify({ janus: 'ping', transaction: 'a'.repeat(1 << 19) }) })).body.janus, 'pong');
  });

  test('paths and methods that mean nothing', async () => {
    const root = server.api.replace(/\/janus$/, '');
    for (const [path, status] of [['/', 404], ['/janusx', 404], ['/JANUS/12', 404], ['/other', 404], ['/janus/1/2/3', 404], ['/janus', 404], ['/janus/abc', 404], ['/janus/99999999999999999999999', 404],
      ['/janus/12345', 404], ['/JANUS', 404], ['/janus//', 404], ['/index.html', 404]])
      assert.equal((await call(root + path)).status, status, path);
    assert.equal((await call(`${root}/proxy/janus/ping`)).body.janus, 'pong');       // what a proxy left in front
    for (const method of ['DELETE', 'PUT', 'PATCH']) {
      const reply = await call(server.api, { method });
      assert.equal(reply.status, 200);
      assert.deepEqual(reply.body, { janus: 'error', error: { code: 450, reason: `Unsupported method ${method}` } });
    }
    assert.equal((await call(server.api, { method: 'HEAD' })).text, '');
    assert.equal((await call(`${root}/other`, { method: 'OPTIONS' })).status, 404);
  });

  test('a plugin reached by several connections at once answers all of them', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const acks = await Promise.all(Array.from({ length: 60 }, (_, i) =>
      server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: `m${i}` }, { agent })));
    assert.deepEqual(acks.map(a => a.body.janus), Array(60).fill('ack'));
    const seen = [];
    while (seen.length < 60)
      seen.push(...(await server.poll(session, '?maxev=25')).body.map(e => e.transaction));
    assert.deepEqual([...seen].sort(), acks.map(a => a.body.transaction).sort());
    agent.destroy();
    await server.post(`/${session}`, { janus: 'destroy' });
  });
});

describe('long polls', ours, () => {
  let server;
  before(async () => { server = await open({ core: { general: { session_timeout: 60 } } }); });
  after(async () => { await server?.stop(); });

  test('one event is an object; with maxev they are an array, the oldest first', async () => {
    const session = await server.session(), handle = await server.handle(session, ECHO);
    for (const transaction of ['a', 'b', 'c'])
      await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction });
    assert.equal((await server.poll(session, '?rid=1')).body.transaction, 'a');
    assert.deepEqual((await server.poll(session, '?rid=2&maxev=5')).body.map(e => e.transaction), ['b', 'c']);
    for (const query of ['?maxev=0', '?maxev=-1', '?maxev=x', '?maxev=99999999999']) {
      await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: query });
      assert.equal((await server.poll(session, query)).body.transaction, query);
    }
  });

  test('an event ends all polls that wait: the oldest gets it, the others a keepalive', async () => {
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const first = server.poll(session);
    await sleep(100);
    const others = [server.poll(session), server.poll(session, '?maxev=3')];
    await sleep(100);
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'T' });
    assert.equal((await first).body.transaction, 'T');
    assert.deepEqual((await Promise.all(others)).map(o => o.body), [{ janus: 'keepalive' }, [{ janus: 'keepalive' }]]);
  });

  test('an event waits for the next poll when the one before has gone', async () => {
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const stop = new AbortController();
    const gone = server.poll(session, '', { signal: stop.signal }).catch(() => null);
    await sleep(100);
    stop.abort();
    await gone;
    await sleep(100);
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'kept' });
    assert.equal((await server.poll(session)).body.transaction, 'kept');
  });

  test('a handle in the path: 302 to the session', async () => {
    const session = await server.session(), handle = await server.handle(session, ECHO);
    for (const h of [handle, 12345]) {
      const reply = await call(`${server.api}/${session}/${h}`);
      assert.equal(reply.status, 302);
      assert.equal(reply.headers.location, `/janus/${session}`);
    }
  });

  test('thirty seconds without an event: a keepalive', { skip: process.env.SHORT === '1' && 'takes thirty seconds' }, async () => {
    const session = await server.session();
    const began = Date.now();
    const [one, many] = await Promise.all([server.poll(session), server.poll(session, '?maxev=2')]);
    assert.deepEqual([one.body, many.body], [{ janus: 'keepalive' }, [{ janus: 'keepalive' }]]);
    assert.ok(Date.now() - began >= 29000);
  });

  test('a session of a WebSocket has no polls, until it is claimed; then its events come here', async () => {
    const client = await server.connect();
    const session = (await client.request({ janus: 'create' })).data.id;
    assert.equal((await server.poll(session)).status, 404);
    const handle = await server.handle(session, ECHO);
    assert.equal((await server.post(`/${session}`, { janus: 'claim' })).body.janus, 'success');
    client.close();
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'claimed' });
    assert.equal((await server.poll(session)).body.transaction, 'claimed');
    // and back again
    const other = await server.connect();
    await other.request({ janus: 'claim', session_id: session });
    assert.equal((await server.poll(session)).status, 404);
    other.close();
  });

  test('a poll that waits when its session ends is not cut', { skip: process.env.SHORT === '1' && 'takes thirty seconds' }, async () => {
    const session = await server.session();
    const waiting = server.poll(session);
    await sleep(100);
    await server.post(`/${session}`, { janus: 'destroy' });
    assert.deepEqual((await waiting).body, { janus: 'keepalive' });
  });

  test('a session that is not used times out, and a poll hears of it', async () => {
    const short = await open({ core: { general: { session_timeout: 2 } } });
    const session = await short.session();
    assert.deepEqual((await short.poll(session)).body, { janus: 'timeout', session_id: session });
    assert.equal((await short.poll(session)).status, 404);
    await short.stop();
  });

  test('events that nobody fetches: the session has lost its client', async () => {
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const acks = [];
    for (let i = 0; i < 2100; i += 100)
      acks.push(...await Promise.all(Array.from({ length: 100 }, () => server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true } }, { agent }))));
    assert.ok(acks.some(a => a.body.error?.code === 458));
    assert.equal((await server.poll(session)).status, 404);
    agent.destroy();
  });
});

describe('secrets', ours, () => {
  let server;
  before(async () => { server = await open({ core: { general: { api_secret: 'söcret &=' } } }); });
  after(async () => { await server?.stop(); });

  test('a poll without it: 403; with it: events', async () => {
    const apisecret = 'söcret &=';
    const session = (await server.post('', { janus: 'create', apisecret })).body.data.id;
    const handle = (await server.post(`/${session}`, { janus: 'attach', plugin: ECHO, apisecret })).body.data.id;
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'T', apisecret });
    for (const query of ['', '?apisecret=wrong', '?apisecret=', '?apisecret=%zz', '?apisecret=%00', `?apisecret=${'x'.repeat(5000)}`, '?apisecret=%ff'])
      assert.equal((await server.poll(session, query)).status, 403, query);
    assert.equal((await server.poll(session, `?maxev=1&apisecret=${encodeURIComponent(apisecret)}`)).body.transaction, 'T');
    assert.equal((await server.post('', { janus: 'create' })).body.error.code, 403);
  });
});

describe('cross origin', ours, () => {
  test('every answer may be read by any page; a preflight is answered', async () => {
    const server = await open();
    const asked = { Origin: 'http://a.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type, x-a' };
    const reply = await call(server.api, { method: 'OPTIONS', headers: asked });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['access-control-allow-origin'], '*');
    assert.equal(reply.headers['access-control-allow-methods'], 'POST');
    assert.equal(reply.headers['access-control-allow-headers'], 'content-type, x-a');
    assert.equal(reply.headers['access-control-max-age'], '86400');
    for (const path of ['/12345', '/info'])
      assert.equal((await call(server.api + path)).headers['access-control-allow-origin'], '*');
    await server.stop();
  });

  test('only one origin, when that is asked for', async () => {
    const server = await open({ cors: { allow_origin: 'http://a.example', enforce_cors: true } });
    for (const [headers, status] of [[{}, 403], [{ Origin: 'http://b.example' }, 403], [{ Origin: 'http://a.example.evil' }, 403], [{ Origin: 'http://a.example' }, 200], [{ Origin: 'http://a.example:81' }, 200],
      [{ Referer: 'http://a.example/page' }, 200], [{ Referer: 'http://b.example/' }, 403]]) {
      const reply = await call(`${server.api}/ping`, { headers });
      assert.equal(reply.status, status, JSON.stringify(headers));
      assert.equal(reply.headers['access-control-allow-origin'], 'http://a.example');
      assert.equal(reply.headers.vary, 'Origin');
    }
    await server.stop();
  });

  test('an access list: the connection is closed without a word', async () => {
    const server = await open({ general: { acl: '10.,127.0.0.2' } });
    await assert.rejects(call(`${server.api}/ping`));
    await server.stop();
    const proxy = await open({ general: { acl: '127.,10.', acl_forwarded: true } });
    assert.equal((await call(`${proxy.api}/ping`)).body.janus, 'pong');
    assert.equal((await call(`${proxy.api}/ping`, { headers: { 'X-Forwarded-For': '10.1.2.3, 8.8.8.8' } })).body.janus, 'pong');
    await assert.rejects(call(`${proxy.api}/ping`, { headers: { 'X-Forwarded-For': '8.8.8.8' } }));
    await proxy.stop();
  });
});

describe('the configuration', ours, () => {
  test('only HTTP; another base path; indented replies', async () => {
    const port = await freePort();
    const server = await open({
      port, websockets: { general: { ws: false } }, general: { base_path: '/a/b/', json: 'indented' },
      ready: async () => (await call(`http://127.0.0.1:${port}/a/b/ping`)).status === 200,
    });
    server.api = `http://127.0.0.1:${port}/a/b`;
    assert.match((await call(`${server.api}/ping`)).text, /^\{\n {3}"janus": "pong",\n/);
    const info = (await call(`${server.api}/info`)).body;
    assert.deepEqual(Object.keys(info.transports), ['janus.transport.http']);
    const session = await server.session(), handle = await server.handle(session, ECHO);
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'T' });
    assert.equal((await server.poll(session, '?maxev=2')).body[0].transaction, 'T');
    await server.stop();
  });

  test('HTTPS', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'cardea-test-')), [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });
    const secure_port = await freePort();
    const server = await open({ general: { https: true, secure_ip: '127.0.0.1', secure_port }, certificates: { cert_pem: cert, cert_key: key } });
    server.api = `https://127.0.0.1:${secure_port}/janus`;
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const waiting = server.poll(session);
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'T' });
    assert.equal((await waiting).body.transaction, 'T');
    await server.stop();
  });
});

describe('bad input', ours, () => {
  let server;
  before(async () => { server = await open(); });
  after(async () => { await server?.stop(); });

  /* What comes back when these bytes are said, until the server closes or nothing comes for a while. */
  const say = bytes => new Promise(done => {
    const socket = net.connect(Number(new URL(server.api).port), '127.0.0.1');
    let heard = '';
    const timer = setTimeout(() => socket.destroy(), 1500);
    socket.on('data', data => { heard += data; });
    socket.on('close', () => { clearTimeout(timer); done(heard); });
    socket.on('error', () => {});
    socket.write(bytes);
  });

  test('two requests in one piece are answered in order', async () => {
    const ping = '{"janus":"ping","transaction":"N"}';
    const request = n => `POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: ${ping.length}\r\n\r\n${ping.replace('N', n)}`;
    const heard = await say(request('1') + request('2') + request('3'));
    assert.deepEqual([...heard.matchAll(/"transaction":"(\d)"/g)].map(m => m[1]), ['1', '2', '3']);
  });

  test('a body in chunks, one byte at a time, and one that waits to be asked for', async () => {
    const body = '{"janus":"ping","transaction":"c"}';
    const chunks = [...body].map(c => `1\r\n${c}\r\n`).join('');
    assert.match(await say(`POST /janus HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`), /"pong"/);
    assert.match(await say(`POST /janus HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  });

  test('what two parsers could read differently, and what is too much', async () => {
    for (const [text, status] of [
      ['POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400], ['POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n', 400],
      ['POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n', 400], ['POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000000\r\n\r\n', 413],
      ['POST /janus HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400], ['POST /janus HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n', 413],
      ['POST /janus HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400], ['GET /janus/info\r\n\r\n', 400], [`GET /janus/${'x'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ]) {
      const heard = await say(text);
      assert.match(heard, new RegExp(`^HTTP/1.1 ${status} `), text.slice(0, 120));
      assert.match(heard, /Connection: close/);
    }
  });

  test('clients that go in the middle of anything leave nothing behind', async () => {
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const create = '{"janus":"create","transaction":"x"}';
    for (let cut = 1; cut < 140; cut += 3) {
      const text = `POST /janus HTTP/1.1\r\nHost: a\r\nContent-Length: ${create.length}\r\n\r\n${create}GET /janus/${session} HTTP/1.1\r\nHost: a\r\n\r\n`.slice(0, cut);
      await new Promise(done => {
        const socket = net.connect(Number(new URL(server.api).port), '127.0.0.1', () => socket.write(text, () => { socket.destroy(); done(); }));
        socket.on('error', done);
      });
    }
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'still here' });
    assert.equal((await server.poll(session)).body.transaction, 'still here');
  });

  test('thousands of polls wait on the threads and sockets that there were', { timeout: 60000 }, async () => {
    const count = 800;
    const agent = new http.Agent({ keepAlive: false, maxSockets: Infinity });
    const session = await server.session(), handle = await server.handle(session, ECHO);
    const polls = Array.from({ length: count }, () => server.poll(session, '', { agent }));
    await sleep(1500);
    assert.equal((await call(`${server.api}/ping`)).body.janus, 'pong');
    await server.post(`/${session}/${handle}`, { janus: 'message', body: { audio: true }, transaction: 'T' });
    const ended = await Promise.all(polls);
    assert.equal(ended.filter(e => e.body.transaction === 'T').length, 1);
    assert.equal(ended.filter(e => e.body.janus === 'keepalive').length, count - 1);
  });
});
