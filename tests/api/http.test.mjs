// What a listener makes of HTTP that is no upgrade: the files of the web folder, and every shape that two parsers could read
// differently (traps.md, Client connections). One connection per case: a refused one must be answered, closed, and harmless.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import http2 from 'node:http2';

import { IS_REFERENCE, startServer } from './lib/server.mjs';
import { rawConnect, upgrade } from './lib/raw.mjs';

const BIG = 3 << 20;

let server;
let client;

function makeSite() {
  const root = mkdtempSync(join(tmpdir(), 'cardea-site-'));
  const web = join(root, 'web');
  mkdirSync(join(web, 'sub'), { recursive: true });
  writeFileSync(join(root, 'secret.txt'), 'never to be seen');
  writeFileSync(join(web, 'index.html'), '<p>hello</p>');
  writeFileSync(join(web, 'sub', 'index.html'), '<p>sub</p>');
  writeFileSync(join(web, 'a b.txt'), 'blank');
  writeFileSync(join(web, '.hidden'), 'hidden');
  writeFileSync(join(web, 'big.bin'), Buffer.alloc(BIG, 'b'));
  writeFileSync(join(web, 'empty.txt'), '');
  symlinkSync('/etc', join(web, 'etc'));
  return web;
}

before(async () => {
  if (IS_REFERENCE)
    return;
  server = await startServer({ name: 'api-http', args: ['--web-folder', makeSite()] });
  client = await server.connect();
});

after(async () => {
  client?.close();
  await server?.stop();
});

const get = (path, { method = 'GET', version = 'HTTP/1.1', headers = 'Host: localhost\r\n' } = {}) => `${method} ${path} ${version}\r\n${headers}\r\n`;

async function ask(bytes) {
  const raw = await rawConnect(server.port);
  raw.write(bytes);
  return { raw, response: await raw.response() };
}

async function refused(status, bytes) {
  const { raw, response } = await ask(bytes);
  assert.equal(response?.status, status, `${JSON.stringify(String(bytes)).slice(0, 200)}: ${response?.head ?? 'closed without a word'}`);
  assert.match(response.head, /^Connection: close\r$/im);
  await raw.until(() => undefined, 3000);
  assert.equal(raw.bytes.length, 0, 'nothing after the answer');
  await raw.end;
}

const ours = { skip: IS_REFERENCE && 'the reference serves no pages' };

describe('the web folder', ours, () => {
  test('a page, with its type, a tag, and the headers that keep it to itself', async () => {
    const { raw, response } = await ask(get('/index.html'));
    assert.equal(response.status, 200);
    assert.equal(String(response.body), '<p>hello</p>');
    for (const header of [/^Content-Type: text\/html; charset=utf-8\r$/im, /^ETag: "/im, /^X-Content-Type-Options: nosniff\r$/im, /^Content-Security-Policy: .*frame-ancestors/im])
      assert.match(response.head, header);
    assert.doesNotMatch(response.head, /^Server:/im);
    const tag = /^ETag: (.*)\r$/im.exec(response.head)[1];
    raw.write(get('/', { headers: `Host: x\r\nIf-None-Match: ${tag}\r\n` }));
    const again = await raw.response();
    assert.equal(again.status, 304);
    await raw.destroy();
  });

  test('the folder itself, queries, escapes, empty and big files, HEAD', async () => {
    const raw = await rawConnect(server.port);
    for (const [path, status, size] of [['/', 200, 12], ['/?a=/../b', 200, 12], ['/sub/', 200, 10], ['/sub', 302], ['/a%20b.txt', 200, 5], ['/empty.txt', 200, 0],
      ['/big.bin', 200, BIG], ['/nothing', 404], ['/INDEX.html', 404]]) {
      raw.write(get(path));
      const response = await raw.response();
      assert.equal(response.status, status, path);
      if (size !== undefined)
        assert.equal(response.body.length, size, path);
    }
    raw.write(get('/big.bin', { method: 'HEAD' }) + get('/'));
    assert.match(await raw.head(), new RegExp(`^Content-Length: ${BIG}\r$`, 'im'));
    assert.equal(String((await raw.response()).body), '<p>hello</p>');
    await raw.destroy();
  });

  test('nothing but what lies in the folder', async () => {
    for (const path of ['/../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/%2e%2e%2fsecret.txt', '/sub/../../secret.txt', '/./../secret.txt', '//etc/passwd', '/etc/passwd',
      '/etc', '/etc/', '/....//secret.txt', '/..\\secret.txt', '/..%5csecret.txt', '/%252e%252e/secret.txt', '/sub%00/../../secret.txt', '/index.html%00.txt', '/%00',
      '/index.html/', '/index.html/x', '/%', '/%2', '/%zz', '/a%0d%0ab', '/file:///etc/passwd', `/${'../'.repeat(1000)}etc/passwd`, `/${'x'.repeat(5000)}`,
      `/${'a/'.repeat(2500)}`, '/index.html;x', '/index.html%20', '/%c0%ae%c0%ae/secret.txt', '/.hidden', '/sub/./index.html']) {
      const { raw, response } = await ask(get(path));
      assert.ok([302, 404].includes(response.status), `${path.slice(0, 60)}: ${response.head}`);
      assert.ok(!String(response.body).includes('never to be seen'));
      assert.ok(!String(response.body).includes('root:'));
      if (response.status === 302)
        assert.match(response.head, /^Location: \/[^/\\]/im, 'no way to another host');
      await raw.destroy();
    }
  });

  test('a folder without its slash never leads to another host', async () => {
    for (const path of ['//sub', '//evil.example/sub', '/\\evil.example', '///sub', '//evil.example/..', '//evil.example/%2e%2e/sub']) {
      const { raw, response } = await ask(get(path));
      const location = /^Location: (.*)\r$/im.exec(response.head)?.[1];
      assert.ok(location === undefined || /^\/[^/\\]/.test(location), `${path} -> ${location}`);
      await raw.destroy();
    }
  });

  test('other methods: 405, and which ones there are', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { raw, response } = await ask(get('/', { method }));
      assert.equal(response.status, 405, method);
      assert.match(response.head, /^Allow: GET, HEAD\r$/im);
      await raw.destroy();
    }
  });

  test('requests one behind the other are answered in their order', async () => {
    const raw = await rawConnect(server.port);
    const paths = Array.from({ length: 100 }, (_, i) => ['/', '/sub/', '/nothing', '/empty.txt'][i % 4]);
    raw.write(paths.map(path => get(path)).join(''));
    for (const path of paths) {
      const { status, body } = await raw.response();
      assert.equal(status, path === '/nothing' ? 404 : 200);
      if (path === '/sub/')
        assert.equal(String(body), '<p>sub</p>');
    }
    await raw.destroy();
  });

  test('a reader that stops in the middle of a big file harms nobody', async () => {
    const stuck = await Promise.all(Array.from({ length: 20 }, async () => {
      const raw = await rawConnect(server.port);
      raw.socket.pause();
      raw.write(get('/big.bin').repeat(10));
      return raw;
    }));
    assert.equal((await client.request({ janus: 'ping' })).janus, 'pong');
    await Promise.all(stuck.map(raw => raw.destroy()));
  });

  test('an upgrade after a page, on the same connection', async () => {
    const raw = await rawConnect(server.port);
    raw.write(get('/') + upgrade());
    assert.equal((await raw.response()).status, 200);
    assert.match(await raw.head(), /^HTTP\/1.1 101 /);
    await raw.destroy();
  });

  test('Connection: close and HTTP/1.0 end after the answer', async () => {
    for (const options of [{ headers: 'Host: x\r\nConnection: close\r\n' }, { version: 'HTTP/1.0' }]) {
      const { raw, response } = await ask(get('/', options));
      assert.equal(response.status, 200);
      await raw.end;
    }
    const { raw, response } = await ask(get('/', { version: 'HTTP/1.0', headers: 'Host: x\r\nConnection: keep-alive\r\n' }));
    assert.match(response.head, /^Connection: keep-alive\r$/im);
    raw.write(get('/'));
    assert.equal((await raw.response()).status, 200);
    await raw.destroy();
  });
});

describe('requests that two parsers could read differently: 400, then closed', ours, () => {
  const H = 'Host: localhost\r\n';
  const cases = {
    'a folded header': get('/', { headers: `${H}X-A: 1\r\n  2\r\n` }),
    'a folded header by a tab': get('/', { headers: `${H}X-A: 1\r\n\t2\r\n` }),
    'a bare LF after the request line': `GET / HTTP/1.1\nHost: localhost\r\n\r\n`,
    'bare LFs everywhere': 'GET / HTTP/1.1\nHost: localhost\n\n',
    'a bare LF in a header': get('/', { headers: `${H}X-A: 1\nX-B: 2\r\n` }),
    'a bare CR in a header': get('/', { headers: `${H}X-A: 1\rX-B: 2\r\n` }),
    'a bare CR in the request line': 'GET /\r HTTP/1.1\r\nHost: x\r\n\r\n',
    'NUL in a value': get('/', { headers: `${H}X-A: 1\0\r\n` }),
    'NUL in a name': get('/', { headers: `${H}X\0A: 1\r\n` }),
    'NUL in the target': get('/\0'),
    'a blank before the colon': get('/', { headers: `${H}Content-Length : 5\r\n` }),
    'a blank before the first header': get('/', { headers: ` ${H}` }),
    'a header without a colon': get('/', { headers: `${H}X-A\r\n` }),
    'a header without a name': get('/', { headers: `${H}: x\r\n` }),
    'a name that is no token': get('/', { headers: `${H}X(A): x\r\n` }),
    'a control character in a value': get('/', { headers: `${H}X-A: \x01\r\n` }),
    'two blanks after the method': 'GET  / HTTP/1.1\r\nHost: x\r\n\r\n',
    'two blanks before the version': 'GET /  HTTP/1.1\r\nHost: x\r\n\r\n',
    'a blank in front of the method': ' GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'a tab in the request line': 'GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n',
    'an absolute target': get('http://localhost/'),
    'a target of bytes above 127': get('/\xe4'),
    'a target that does not begin with a slash': get('index.html'),
    'a target with a fragment': get('/#x'),
    'an empty target': 'GET  HTTP/1.1\r\nHost: x\r\n\r\n',
    'no version': 'GET /\r\n\r\n',
    'HTTP/0.9': 'GET / HTTP/0.9\r\nHost: x\r\n\r\n',
    'HTTP/2.0 in the request line': 'GET / HTTP/2.0\r\nHost: x\r\n\r\n',
    'HTTP/1.2': 'GET / HTTP/1.2\r\nHost: x\r\n\r\n',
    'http/1.1 in lower case': 'GET / http/1.1\r\nHost: x\r\n\r\n',
    'a method in lower case': get('/', { method: 'get' }),
    'CONNECT': 'CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n',
    'TRACE': get('/', { method: 'TRACE' }),
    'an unknown method': get('/', { method: 'BREW' }),
    'an empty method': ' / HTTP/1.1\r\nHost: x\r\n\r\n',
    'no Host': get('/', { headers: '' }),
    'two Hosts': get('/', { headers: `${H}${H}` }),
    'Transfer-Encoding with HTTP/1.0': get('/', { version: 'HTTP/1.0', headers: `${H}Transfer-Encoding: chunked\r\n` }),
    'Transfer-Encoding: identity': get('/', { headers: `${H}Transfer-Encoding: identity\r\n` }),
    'Transfer-Encoding: gzip, chunked': get('/', { headers: `${H}Transfer-Encoding: gzip, chunked\r\n` }),
    'Transfer-Encoding: chunked, chunked': get('/', { headers: `${H}Transfer-Encoding: chunked, chunked\r\n` }),
    'Transfer-Encoding: xchunked': get('/', { headers: `${H}Transfer-Encoding: xchunked\r\n` }),
    'Transfer-Encoding: "chunked"': get('/', { headers: `${H}Transfer-Encoding: "chunked"\r\n` }),
    'Transfer-Encoding: chunked;q=1': get('/', { headers: `${H}Transfer-Encoding: chunked;q=1\r\n` }),
    'Transfer-Encoding twice': get('/', { headers: `${H}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n` }),
    'Transfer-Encoding empty': get('/', { headers: `${H}Transfer-Encoding:\r\n` }),
    'Transfer-Encoding by a vertical tab': get('/', { headers: `${H}Transfer-Encoding: \x0bchunked\r\n` }),
    'Content-Length with Transfer-Encoding': get('/', { headers: `${H}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n` }),
    'Transfer-Encoding with Content-Length': get('/', { headers: `${H}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n` }),
    'Content-Length twice': get('/', { headers: `${H}Content-Length: 5\r\nContent-Length: 6\r\n` }),
    'Content-Length twice, the same': get('/', { headers: `${H}Content-Length: 0\r\nContent-Length: 0\r\n` }),
    'Content-Length as a list': get('/', { headers: `${H}Content-Length: 5, 5\r\n` }),
    'Content-Length: -1': get('/', { headers: `${H}Content-Length: -1\r\n` }),
    'Content-Length: +1': get('/', { headers: `${H}Content-Length: +1\r\n` }),
    'Content-Length: 0x5': get('/', { headers: `${H}Content-Length: 0x5\r\n` }),
    'Content-Length: 5 5': get('/', { headers: `${H}Content-Length: 5 5\r\n` }),
    'Content-Length empty': get('/', { headers: `${H}Content-Length:\r\n` }),
    'Content-Length beyond 64 bits': get('/', { headers: `${H}Content-Length: 99999999999999999999999\r\n` }),
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'the HTTP/2 preface and frames': Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from('000000040000000000', 'hex')]),
    'a WebSocket frame': Buffer.from('818512345678000000000000', 'hex'),
    'TLS': Buffer.from('16030102000100', 'hex'),
    'STUN': Buffer.from('000100002112a442000102030405060708090a0b0d0a0d0a', 'hex'),
  };
  for (const [name, bytes] of Object.entries(cases))
    test(name, () => refused(400, Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'latin1')));

  test('a request behind a refused one is not done', async () => {
    const { raw } = await ask(`GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${get('/index.html')}`);
    await raw.end;
    assert.equal(raw.bytes.length, 0);
  });

  test('a body to a page: answered, closed, and what follows is not taken for a request', async () => {
    for (const headers of ['Host: a\r\nContent-Length: 5\r\n', 'Host: a\r\nTransfer-Encoding: chunked\r\n']) {
      const { raw, response } = await ask(`${get('/', { headers })}${get('/sub/')}`);
      assert.equal(response.status, 200);
      await raw.end;
      assert.ok(!String(raw.bytes).includes('<p>sub</p>'));
    }
  });

  test('Upgrade: h2c is ignored', async () => {
    const { raw, response } = await ask(get('/', { headers: 'Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n' }));
    assert.equal(response.status, 200);
    await raw.destroy();
  });

  test('an HTTP/2 client gets nowhere', async () => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    await new Promise(done => session.once('error', done));
    session.destroy();
  });
});

describe('too much of it', ours, () => {
  test('a head of more than 8 KiB: 431, at the byte where it is too long', async () => {
    const fits = get('/', { headers: `Host: x\r\nX-A: ${'x'.repeat(8192 - 40)}\r\n` });
    assert.ok(fits.length <= 8192);
    const { raw, response } = await ask(fits);
    assert.equal(response.status, 200);
    await raw.destroy();
    await refused(431, get('/', { headers: `Host: x\r\nX-A: ${'x'.repeat(8192)}\r\n` }));
    await refused(431, `GET /${'x'.repeat(9000)} HTTP/1.1\r\n`);
    await refused(431, `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(2000)}`);
  });

  test('a head without an end: 431, whatever follows', async () => {
    const raw = await rawConnect(server.port);
    raw.write(Buffer.alloc(1 << 20, 'x'));
    assert.equal((await raw.response()).status, 431);
    await raw.end;
  });

  test('more than 64 headers: 431', async () => {
    await refused(431, get('/', { headers: `Host: x\r\n${Array.from({ length: 70 }, (_, i) => `X-${i}: y\r\n`).join('')}` }));
  });

  test('an empty line before a request is borne, many are not', async () => {
    const { raw, response } = await ask(`\r\n${get('/')}`);
    assert.equal(response.status, 200);
    await raw.destroy();
    const many = await rawConnect(server.port);
    many.write('\r\n'.repeat(100000));
    const answer = await many.response();
    assert.ok(answer === null || answer.status >= 400, answer?.head);
    await many.destroy();
  });

  test('the server is well', async () => assert.equal((await client.request({ janus: 'ping' })).janus, 'pong'));
});

describe('without a web folder', ours, () => {
  test('everything is 403, then closed', async () => {
    const plain = await startServer({ name: 'api-http-none' });
    for (const path of ['/', '/index.html', '/admin', '/janus/info']) {
      const raw = await rawConnect(plain.port);
      raw.write(get(path));
      assert.equal((await raw.response()).status, 403, path);
      await raw.end;
    }
    await plain.stop();
  });

  test('a folder that is not there is said, and the API works', async () => {
    const own = await startServer({ name: 'api-http-missing', args: ['--web-folder', '/nonexistent/web'] });
    await own.logged(/web folder \/nonexistent\/web can't be read/);
    await own.stop();
  });

  test('ws_acl guards the pages too', async () => {
    const own = await startServer({ name: 'api-http-acl', args: ['--web-folder', makeSite()], websockets: { general: { ws_acl: '10.0.0.1' } },
      ready: s => rawConnect(s.port).then(raw => raw.destroy()).then(() => true) });
    const raw = await rawConnect(own.port);
    raw.write(get('/'));
    assert.equal((await raw.response()).status, 403);
    await raw.end;
    await own.stop();
  });
});
