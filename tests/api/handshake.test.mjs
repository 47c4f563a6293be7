// The way to a WebSocket: subprotocols, headers, access lists, CORS, Unix sockets, TLS (transports.md 3.1-3.4), and what a
// listener does with requests that are no upgrade.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

import WebSocket from 'ws';
import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { connect } from './lib/client.mjs';
import { PING, PONG, Raw, frame, rawConnect, rawWebSocket, request, upgrade } from './lib/raw.mjs';
import { runToEnd, folderWith } from './lib/run.mjs';
import { jcfg } from './lib/jcfg.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const field = (head, name) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1];

/* What a handshake leads to: the head of the 101; or the status of a refusal; or 'closed' without a word. */
async function ask(where, options) {
  const raw = await rawConnect(where);
  raw.write(typeof options === 'string' ? options : upgrade(options));
  const head = await raw.head();
  const status = head === null ? 'closed' : Number(head.split(' ')[1]);
  return { raw, head, status };
}

async function answersPing(raw) {
  raw.write(request({ janus: 'ping', transaction: 'p' }));
  return (await raw.message())?.janus === 'pong';
}

describe('the upgrade', () => {
  let server;
  before(async () => { server = await startServer({ name: 'api-handshake' }); });
  after(() => server?.stop());

  test('the right subprotocol: 101 with it, the key answered, no extension', async () => {
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const { raw, head, status } = await ask(server.port, { headers: { 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } });
    assert.equal(status, 101);
    assert.equal(field(head, 'Sec-WebSocket-Accept'), createHash('sha1').update(key + GUID).digest('base64'));
    assert.equal(field(head, 'Sec-WebSocket-Protocol'), 'janus-protocol');
    assert.equal(field(head, 'Upgrade').toLowerCase(), 'websocket');
    assert.equal(field(head, 'Sec-WebSocket-Extensions'), undefined);
    assert.equal(field(head, 'Access-Control-Allow-Origin'), '*');
    assert.ok(await answersPing(raw));
    await raw.destroy();
  });

  for (const list of ['janus-protocol, other', 'other, janus-protocol', 'a,b,janus-protocol,c', ' janus-protocol ', 'janus-admin-protocol, janus-protocol'])
    test(`the right one among others (${list}): 101 with it`, async () => {
      const { raw, head, status } = await ask(server.port, { headers: { 'Sec-WebSocket-Protocol': list } });
      assert.equal(status, 101);
      assert.equal(field(head, 'Sec-WebSocket-Protocol'), 'janus-protocol');
      await raw.destroy();
    });

  test('over several header lines too', { skip: IS_REFERENCE && 'one line there' }, async () => {
    const { raw, status } = await ask(server.port, { headers: { 'Sec-WebSocket-Protocol': ['other', 'janus-protocol'] } });
    assert.equal(status, 101);
    await raw.destroy();
  });

  for (const [name, value] of [['none', null], ['an unknown one', 'chat'], ['the Admin API\'s', 'janus-admin-protocol'], ['one that begins the same', 'janus-protocol2'],
    ['one that ends the same', 'xjanus-protocol'], ['an empty one', '']])
    test(`subprotocol: ${name}: closed without a word`, { skip: IS_REFERENCE && name === 'an empty one' && 'an error page there' }, async () => {
      const { raw, status } = await ask(server.port, { headers: { 'Sec-WebSocket-Protocol': value } });
      assert.equal(status, 'closed');
      assert.equal(raw.total, 0);
    });

  test('the slot http-only of the reference is refused', { skip: IS_REFERENCE && 'a dead connection there' }, async () => {
    assert.equal((await ask(server.port, { headers: { 'Sec-WebSocket-Protocol': 'http-only' } })).status, 'closed');
  });

  for (const path of ['/', '/janus', '/a/b/c', '/?x=y', '/a%20b?c=%00', `/${'x'.repeat(4000)}`])
    test(`any path (${path.slice(0, 20)}): 101`, { skip: IS_REFERENCE && (path.length > 1000 || path.includes('%00')) && 'its library refuses' }, async () => {
      const { raw, status } = await ask(server.port, { path });
      assert.equal(status, 101);
      await raw.destroy();
    });

  const ours = { skip: IS_REFERENCE && 'its library decides' };
  for (const [name, options, status] of [
    ['another version', { headers: { 'Sec-WebSocket-Version': '8' } }, 426],
    ['no version', { headers: { 'Sec-WebSocket-Version': null } }, 426],
    ['two versions', { headers: { 'Sec-WebSocket-Version': ['13', '13'] } }, 426],
    ['no key', { headers: { 'Sec-WebSocket-Key': null } }, 400],
    ['two keys', { headers: { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] } }, 400],
    ['a short key', { headers: { 'Sec-WebSocket-Key': 'YQ==' } }, 400],
    ['a key that is no base64', { headers: { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' } }, 400],
    ['POST', { method: 'POST', headers: { 'Content-Length': '0' } }, 400],
    ['HTTP/1.0', { version: 'HTTP/1.0' }, 400],
    ['a body', { headers: { 'Content-Length': '5' } }, 400],
    ['a chunked body', { headers: { 'Transfer-Encoding': 'chunked' } }, 400],
    ['no Host', { headers: { Host: null } }, 400],
    ['two Hosts', { headers: { Host: ['a', 'b'] } }, 400],
  ])
    test(`${name}: ${status}, then closed`, ours, async () => {
      const { raw, status: got } = await ask(server.port, options);
      assert.equal(got, status);
      await raw.end;
    });

  test('without Upgrade or without Connection it is a request for a page: 403, then closed', async () => {
    for (const headers of [{ Upgrade: null }, { Connection: null }, { Connection: 'keep-alive' }, { Upgrade: 'h2c' }]) {
      if (IS_REFERENCE && headers.Upgrade !== null)
        continue;
      const { raw, status } = await ask(server.port, { headers });
      assert.equal(status, 403, JSON.stringify(headers));
      await raw.end;
    }
  });

  test('what is sent together with the handshake is the first request', async () => {
    const raw = await rawConnect(server.port);
    raw.write(Buffer.concat([Buffer.from(upgrade()), request({ janus: 'ping', transaction: 'early' })]));
    assert.match(await raw.head(), /^HTTP\/1.1 101 /);
    assert.equal((await raw.message()).transaction, 'early');
    await raw.destroy();
  });

  test('a handshake byte by byte', async () => {
    const raw = await rawConnect(server.port);
    for (const byte of Buffer.from(upgrade()))
      await new Promise(done => { raw.socket.write(Buffer.from([byte]), done); });
    assert.match(await raw.head(), /^HTTP\/1.1 101 /);
    assert.ok(await answersPing(raw));
    await raw.destroy();
  });

  test('a ping is answered with its payload', async () => {
    const raw = await rawWebSocket(server.port);
    raw.write(frame(PING, 'are you there'));
    const pong = await raw.frame();
    assert.equal(pong.opcode, PONG);
    assert.equal(String(pong.payload), 'are you there');
    await raw.destroy();
  });
});

describe('json', () => {
  for (const [layout, ping] of [['compact', '{"janus":"pong","transaction":"x"}'], ['plain', '{"janus": "pong", "transaction": "x"}'],
    ['indented', '{\n   "janus": "pong",\n   "transaction": "x"\n}'], ['INDENTED', '{\n   "janus": "pong",\n   "transaction": "x"\n}'],
    ['nonsense', '{"janus":"pong","transaction":"x"}']])
    test(layout, { skip: IS_REFERENCE && ['INDENTED', 'nonsense'].includes(layout) && 'otherwise in some versions' }, async () => {
      const server = await startServer({ name: `api-json-${layout}`, websockets: { general: { json: layout } } });
      const raw = await rawWebSocket(server.port);
      raw.write(request({ janus: 'ping', transaction: 'x' }));
      assert.equal(String((await raw.frame()).payload), ping);
      if (!IS_REFERENCE && layout === 'nonsense')
        await server.logged(/json = "nonsense" is not known/);
      await raw.destroy();
      await server.stop();
    });

  test('text goes out as it came: UTF-8, slashes, escapes', async () => {
    const server = await startServer({ name: 'api-json-text' });
    const raw = await rawWebSocket(server.port);
    raw.write(frame(1, '{"janus":"ping","transaction":"\\u00e9/\\/\\u0001\\ud83d\\udeaa\u{1F6AA}\\"\\\\\\n"}'));
    assert.equal(String((await raw.frame()).payload), '{"janus":"pong","transaction":"é//\\u0001\u{1F6AA}\u{1F6AA}\\"\\\\\\n"}');
    await raw.destroy();
    await server.stop();
  });
});

describe('ws_acl', () => {
  /* [list, forwarded header or null, may come]; from 127.0.0.1. */
  const cases = [
    ['127.0.0.1', null, true], ['127.0.0.', null, true], ['10.0.0.1,127.0.0.1', null, true], ['127.0.0.0/8', null, true, 'ours'],
    ['10.0.0.1', null, false], ['127.0.0.10', null, false], ['192.168.,10.', null, false], ['127.0.0.1/33', null, false, 'ours'],
    ['127.0.0.', '10.0.0.1', false, 'fwd'], ['127.0.0.', '127.0.0.9', true, 'fwd'], ['127.0.0.', null, true, 'fwd'],
    ['127.0.0.,10.0.0.1', '10.0.0.10', false, 'ours fwd'], ['127.0.0.,10.0.0.1', '10.0.0.1, 6.6.6.6', true, 'fwd'], ['127.0.0.', 'nonsense', false, 'fwd'],
    ['127.0.0.,10.0.0.1', '6.6.6.6, 10.0.0.1', false, 'fwd'], ['10.0.0.1', '10.0.0.1', false, 'fwd'],
    ['127.0.0.,10.0.0.1', '::ffff:10.0.0.1', true, 'ours fwd'], ['127.0.0.1', `127.0.0.1${'x'.repeat(2000)}`, false, 'ours fwd'],
  ];
  for (const [list, forwarded, may, marks = ''] of cases)
    test(`${list}${forwarded === null ? '' : `, forwarded for ${forwarded.slice(0, 30)}`}: ${may ? 'may come' : 'sees the 101, then the end'}`,
      { skip: IS_REFERENCE && (marks.includes('ours') || (marks.includes('fwd') && !may)) && 'by prefix there, forwarded addresses only in later versions' }, async () => {
        const server = await startServer({ name: 'api-acl', ready: 'never', websockets: { general: { ws_acl: list, ws_acl_forwarded: marks.includes('fwd') } } });
        let raw;
        for (let i = 0; raw === undefined; i++) {
          raw = await rawConnect(server.port).catch(async error => { if (i > 100) throw error; await new Promise(done => setTimeout(done, 50)); });
        }
        raw.write(upgrade({ headers: { ...(forwarded !== null && { 'X-Forwarded-For': forwarded }) } }));
        assert.match(await raw.head(), /^HTTP\/1.1 101 /);
        if (may) {
          assert.ok(await answersPing(raw));
        } else {
          raw.write(request({ janus: 'ping', transaction: 'p' }));
          assert.equal(await raw.frame(), null);
        }
        await raw.destroy();
        await server.stop();
      });
});

describe('cors', () => {
  let server;
  before(async () => { server = await startServer({ name: 'api-cors', ready: s => rawWebSocket(s.port, { headers: { Origin: 'https://a.example' } }).then(r => r.destroy()).then(() => true),
    websockets: { cors: { allow_origin: 'https://a.example', enforce_cors: true } } }); });
  after(() => server?.stop());

  test('the allowed origin is named, what is asked for is allowed', async () => {
    const { raw, head } = await ask(server.port, { headers: { Origin: 'https://a.example', 'Access-Control-Request-Headers': 'X-A, X-B', 'Access-Control-Request-Methods': 'GET, PUT' } });
    assert.equal(field(head, 'Access-Control-Allow-Origin'), 'https://a.example');
    assert.equal(field(head, 'Access-Control-Allow-Headers'), 'X-A, X-B');
    if (!IS_REFERENCE)
      assert.equal(field(head, 'Access-Control-Allow-Methods'), 'GET, PUT');
    await raw.destroy();
  });

  test('what is too long is not copied', { skip: IS_REFERENCE && 'its library decides' }, async () => {
    const { raw, head, status } = await ask(server.port, { headers: { Origin: 'https://a.example', 'Access-Control-Request-Headers': 'X'.repeat(255) } });
    assert.equal(status, 101);
    assert.equal(field(head, 'Access-Control-Allow-Headers'), undefined);
    await raw.destroy();
  });

  for (const [origin, may] of [['https://a.example', true], ['https://a.example:8443', true], [null, false], ['', false], ['https://b.example', false],
    ['http://a.example', false], ['https://a.exampl', false], ['null', false], [`https://a.example/${'x'.repeat(300)}`, false]])
    test(`origin ${String(origin).slice(0, 40)}: ${may ? 101 : 'no 101'}`, async () => {
      const { raw, status } = await ask(server.port, { headers: { Origin: origin } });
      assert.equal(status === 101, may, String(status));
      await raw.destroy();
    });

  test('an origin that only begins like the allowed one is another host', { skip: IS_REFERENCE && 'a plain prefix there' }, async () => {
    assert.equal((await ask(server.port, { headers: { Origin: 'https://a.example.evil' } })).status, 'closed');
    assert.equal((await ask(server.port, { headers: { Origin: 'https://a.example-evil.org' } })).status, 'closed');
  });

  test('enforce_cors alone does nothing', async () => {
    const own = await startServer({ name: 'api-cors-alone', websockets: { cors: { enforce_cors: true } } });
    const { raw, status } = await ask(own.port, { headers: { Origin: 'https://b.example' } });
    assert.equal(status, 101);
    await raw.destroy();
    await own.stop();
  });
});

describe('a Unix socket', { skip: IS_REFERENCE && 'its library may be built without' }, () => {
  test('ws_unix: clients come by the file; the port is not used; access lists do not apply', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'cardea-unix-')), 'ws.sock');
    const answers = () => rawWebSocket({ path }).then(async raw => { const fine = await answersPing(raw); await raw.destroy(); return fine; });
    const server = await startServer({ name: 'api-unix', websockets: { general: { ws_unix: path, ws_acl: '10.0.0.1' } }, ready: answers });
    const client = await connect(`ws+unix://${path}:/`);
    assert.equal((await client.session()).client, client);
    await assert.rejects(rawConnect(server.port), { code: 'ECONNREFUSED' });
    client.close();
    await server.stop();
  });

  test('a file that a dead server left is replaced; one that a living server has is not', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'cardea-unix-')), 'ws.sock');
    const answers = () => rawWebSocket({ path }).then(async raw => { await raw.destroy(); return true; });
    const first = await startServer({ name: 'api-unix-first', websockets: { general: { ws_unix: path } }, ready: answers });
    const dir = folderWith({ 'janus.transport.websockets.jcfg': jcfg({ general: { ws: true, ws_unix: path } }) });
    const second = await runToEnd(['-F', dir]);
    assert.equal(second.code, 1, second.out);
    assert.match(second.out, /can't listen on .*ws\.sock/);
    assert.ok(await answers());
    first.kill('SIGKILL');
    await first.exited;
    assert.ok(existsSync(path));
    const third = await startServer({ name: 'api-unix-third', websockets: { general: { ws_unix: path } }, ready: answers });
    await third.stop();
  });
});

describe('listeners', () => {
  const ours = { skip: IS_REFERENCE && 'checked by hand there' };

  test('a taken port: only that listener is missing', ours, async () => {
    const taken = await startServer({ name: 'api-taken' });
    const dir = folderWith({ 'janus.transport.websockets.jcfg': jcfg({ general: { ws: true, ws_ip: '127.0.0.1', ws_port: taken.port } }) });
    const { code, out } = await runToEnd(['-F', dir]);
    assert.equal(code, 1);
    assert.match(out, /can't listen/);
    await taken.stop();
  });

  test('an address that is not ours: no listener, exit 1', ours, async () => {
    const dir = folderWith({ 'janus.transport.websockets.jcfg': jcfg({ general: { ws: true, ws_ip: '203.0.113.9', ws_port: await freePort() } }) });
    const { code, out } = await runToEnd(['-F', dir]);
    assert.equal(code, 1);
    assert.match(out, /can't listen on 203\.0\.113\.9/);
  });

  test('an interface by its name', ours, async () => {
    const server = await startServer({ name: 'api-interface', websockets: { general: { ws_ip: undefined, ws_interface: 'lo' } } });
    const client = await server.connect();
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.close();
    await server.stop();
  });

  test('no address: all of them, both families', async () => {
    const server = await startServer({ name: 'api-any', websockets: { general: { ws_ip: undefined } } });
    for (const url of [`ws://127.0.0.1:${server.port}/`, `ws://[::1]:${server.port}/`]) {
      const client = await connect(url).catch(error => error);
      if (url.includes('::1') && client instanceof Error && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(client.code))
        continue;                      /* a machine without IPv6 */
      assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
      client.close();
    }
    await server.stop();
  });
});

describe('wss', () => {
  let server;
  let wssPort;
  let folder;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cardea-tls-'));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'),
      '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });
    wssPort = await freePort();
    server = await startServer({ name: 'api-wss', websockets: { general: { wss: true, wss_ip: '127.0.0.1', wss_port: wssPort },
      certificates: { cert_pem: join(folder, 'cert.pem'), cert_key: join(folder, 'key.pem') } } });
  });
  after(() => server?.stop());

  const secure = more => new Promise((done, fail) => {
    const socket = tls.connect({ port: wssPort, host: '127.0.0.1', rejectUnauthorized: false, ...more });
    socket.once('error', fail);
    socket.once('secureConnect', () => { socket.off('error', fail); done(new Raw(socket)); });
  });

  test('beside ws, the same API', async () => {
    const [a, b] = [await connect(`wss://127.0.0.1:${wssPort}/`, { rejectUnauthorized: false }), await server.connect()];
    const session = await a.session();
    assert.equal((await b.request({ janus: 'keepalive', session_id: session.id })).janus, 'ack');
    a.close();
    b.close();
  });

  test('no ALPN but http/1.1', { skip: IS_REFERENCE && 'its library decides' }, async () => {
    assert.equal((await secure({ ALPNProtocols: ['h2', 'http/1.1'] })).socket.alpnProtocol, 'http/1.1');
    const only = await secure({ ALPNProtocols: ['h2'] }).then(raw => raw.socket.alpnProtocol, error => error.code);
    assert.notEqual(only, 'h2');
  });

  test('TLS below 1.2 is refused', async () => {
    await assert.rejects(secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  });

  test('plain text, garbage and a half handshake on the TLS port end by themselves and disturb nobody', async () => {
    const plain = await rawConnect(wssPort);
    plain.write(upgrade());
    await plain.end;
    const garbage = await rawConnect(wssPort);
    garbage.write(Buffer.alloc(100000, 0x16));
    await garbage.end;
    const half = await rawConnect(wssPort);
    half.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    const client = await connect(`wss://127.0.0.1:${wssPort}/`, { rejectUnauthorized: false });
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    client.close();
    await half.destroy();
  });

  test('TLS on the plain port ends by itself', async () => {
    await assert.rejects(new Promise((done, fail) => {
      const socket = tls.connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('closed')));
      socket.once('secureConnect', done);
    }));
  });

  test('big texts both ways', async () => {
    const client = await connect(`wss://127.0.0.1:${wssPort}/`, { rejectUnauthorized: false });
    const transaction = 'x'.repeat(900000);
    assert.equal((await client.request({ janus: 'ping', transaction })).transaction.length, transaction.length);
    client.close();
  });

  test('one certificate file for both; a key that does not fit: no listener, exit 1', { skip: IS_REFERENCE && 'checked by hand there' }, async () => {
    writeFileSync(join(folder, 'both.pem'), readFileSync(join(folder, 'cert.pem')) + String(readFileSync(join(folder, 'key.pem'))));
    const port = await freePort();
    const own = await startServer({ name: 'api-wss-one', port, websockets: { general: { ws: false, wss: true, wss_ip: '127.0.0.1', wss_port: port },
      certificates: { cert_pem: join(folder, 'both.pem') } },
      ready: () => connect(`wss://127.0.0.1:${port}/`, { rejectUnauthorized: false }).then(c => { c.close(); return true; }) });
    await own.stop();
    for (const certificates of [{}, { cert_pem: join(folder, 'cert.pem') }, { cert_pem: '/nonexistent' }, { cert_pem: join(folder, 'key.pem') }]) {
      const dir = folderWith({ 'janus.transport.websockets.jcfg': jcfg({ general: { ws: false, wss: true, wss_ip: '127.0.0.1', wss_port: await freePort() }, certificates }) });
      const { code, out } = await runToEnd(['-F', dir]);
      assert.equal(code, 1, JSON.stringify(certificates));
      assert.match(out, /wss: /);
    }
  });
});

describe('pings of the server', { concurrency: true }, () => {
  test('a silent client is asked; a client that does not answer is closed; a living one stays', async () => {
    const server = await startServer({ name: 'api-ping', websockets: { general: { pingpong_trigger: 1, pingpong_timeout: 1 } } });
    const alive = new WebSocket(server.ws, 'janus-protocol');
    let pings = 0;
    alive.on('ping', () => { pings++; });
    await new Promise(done => alive.once('open', done));
    const dead = await rawWebSocket(server.port);
    const begun = Date.now();
    const asked = await dead.frame();
    assert.equal(asked.opcode, PING);
    await dead.end;
    const took = Date.now() - begun;
    assert.ok(took >= 1900 && took < 6000, `${took} ms`);
    await new Promise(done => setTimeout(done, 1500));
    assert.ok(pings >= 2);
    assert.equal(alive.readyState, WebSocket.OPEN);
    alive.close();
    await server.stop();
  });

  test('a client that talks is not asked', { skip: IS_REFERENCE && 'its library asks all the same' }, async () => {
    const server = await startServer({ name: 'api-ping-talk', websockets: { general: { pingpong_trigger: 2, pingpong_timeout: 2 } } });
    const raw = await rawWebSocket(server.port);
    for (let i = 0; i < 8; i++) {
      raw.write(request({ janus: 'ping', transaction: 'x' }));
      assert.notEqual((await raw.frame()).opcode, PING);
      await new Promise(done => setTimeout(done, 500));
    }
    await raw.destroy();
    await server.stop();
  });

  test('only one of the two keys: both are ignored, and that is said', { skip: IS_REFERENCE && 'its texts are its own' }, async () => {
    const server = await startServer({ name: 'api-ping-one', websockets: { general: { pingpong_trigger: 1 } } });
    await server.logged(/pingpong_trigger and pingpong_timeout must both be above zero/);
    const raw = await rawWebSocket(server.port);
    await assert.rejects(raw.frame(2500));
    await raw.destroy();
    await server.stop();
  });
});
