// The program as a process: command line, files, signals, pid file, daemon mode, logs, exit codes (config-core.md).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import dgram from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { IS_REFERENCE, freePort, startServer } from './lib/server.mjs';
import { connect } from './lib/client.mjs';
import { jcfg } from './lib/jcfg.mjs';
import { openPeer } from './lib/peer.mjs';
import { folderWith, runToEnd } from './lib/run.mjs';
import { rawWebSocket, request } from './lib/raw.mjs';
import { offer } from './lib/sdp.mjs';

const ECHO = 'janus.plugin.echotest', ROOM = 'janus.plugin.videoroom';
const SLOW = /asan|tsan/.test(process.env.CARDEA_BIN ?? '') ? 10 : 1;
const ours = { skip: IS_REFERENCE && 'these texts and codes are ours' };

async function until(what, ask, ms = 10000) {
  for (const deadline = Date.now() + ms; !await ask(); await sleep(20))
    if (Date.now() > deadline)
      throw new Error(`not within ${ms} ms: ${what}`);
}

const websockets = port => jcfg({ general: { ws: true, ws_ip: '127.0.0.1', ws_port: port } });

async function answers(port, ms = 10000) {
  for (const deadline = Date.now() + ms; ; await sleep(30)) {
    const client = await connect(`ws://127.0.0.1:${port}/`).catch(() => null);
    if (client) {
      const info = await client.request({ janus: 'info' });
      client.close();
      return info;
    }
    assert.ok(Date.now() < deadline, `nobody answers on port ${port}`);
  }
}

/* A server in a folder with these files and this command line; its info; stopped again. */
async function infoWith({ files = {}, args = [], core = {}, name = 'api-process' }) {
  const server = await startServer({ name, core, args, files });
  const client = await server.connect();
  const info = await client.request({ janus: 'info' });
  client.close();
  await server.stop();
  return { info, log: server.log() };
}

describe('the command line', ours, () => {
  test('--version and --help: exit 0, on standard output', async () => {
    for (const args of [['-V'], ['--version']]) {
      const { code, out } = await runToEnd(args);
      assert.equal(code, 0);
      assert.match(out, /^Cardea version: \S+ \(API of Janus 1401, 1\.4\.1\)\nCommit: .+\nDate: .+\n$/);
    }
    for (const args of [['-h'], ['--help'], ['-h', '-V'], ['-F', '/nonexistent', '-h']]) {
      const { code, out } = await runToEnd(args);
      assert.equal(code, 0);
      assert.match(out, /--configs-folder=path/);
    }
  });

  test('three lines before anything else', async () => {
    const { out } = await runToEnd(['-C', '/nonexistent']);
    assert.match(out, /^Cardea version: .*\nCommit: .*\nDate: .*\n/);
  });

  for (const args of [['--nonsense'], ['-Z'], ['--debug-level'], ['-d'], ['-d', 'x'], ['--session-timeout=abc'], ['-l', '1.5'], ['-s', ''], ['-Q', '99999999999999999999'], ['--daemon=yes'],
    ['-F'], ['--', 'x', '-Z', '-d']])
    test(`${args.join(' ')}: exit 1, and why`, { skip: args[0] === '--' && 'words behind -- are not read' }, async () => {
      const { code, out } = await runToEnd(args);
      assert.equal(code, 1, out);
      assert.match(out, /see --help/);
    });

  test('every option of the reference is known', async () => {
    const all = ['-p', '/tmp/x', '-N', '--log-stdout', '-L', '/tmp/y', '-R', 'SIGHUP', '-l', '10', '-H', '/', '-i', '127.0.0.1', '-P', '/nonexistent', '-C', '/nonexistent', '-F', '/nonexistent',
      '-c', 'x', '-k', 'y', '-K', 'z', '-S', 'localhost:3478', '-1', '192.0.2.1', '-2', '-E', 'lo', '-X', 'vmnet', '-6', '-O', '-f', '-I', '-T', '-Q', '200', '-t', '1', '-W', '5', '-r', '20000-30000',
      '-B', '200', '-n', 'name', '-s', '60', '-m', '0', '-d', '4', '-D', '-o', '-M', '-a', 'secret', '-A', '--token-auth-secret', 'x', '-e', '-w', '-b', '-h'];
    const long = ['--daemon', '--pid-file=/tmp/x', '--disable-stdout', '--log-stdout', '--log-file=/tmp/y', '--log-rotate-sig=SIGHUP', '--check-openfiles-limits=10', '--cwd-path=/', '--interface=127.0.0.1',
      '--plugins-folder=/x', '--config=/nonexistent', '--configs-folder=/nonexistent', '--cert-pem=x', '--cert-key=y', '--cert-pwd=z', '--stun-server=h:1', '--nat-1-1=192.0.2.1', '--keep-private-host',
      '--ice-enforce-list=lo', '--ice-ignore-list=vmnet', '--ipv6-candidates', '--ipv6-link-local', '--full-trickle', '--ice-lite', '--ice-tcp', '--min-nack-queue=1', '--no-media-timer=1',
      '--slowlink-threshold=1', '--rtp-port-range=1-2', '--twcc-period=1', '--server-name=x', '--session-timeout=1', '--reclaim-session-timeout=1', '--debug-level=1', '--debug-timestamps', '--disable-colors',
      '--debug-locks', '--apisecret=x', '--token-auth', '--token-auth-secret=x', '--event-handlers', '--no-webrtc-encryption', '--help'];
    for (const args of [all, long])
      assert.equal((await runToEnd(args)).code, 0);
  });

  test('options override the file', async () => {
    const { info } = await infoWith({ core: { general: { session_timeout: 11, server_name: 'file', reclaim_session_timeout: 5 }, nat: { full_trickle: false } },
      args: ['-s', '33', '-n', 'line', '-f', '-I', '-m', '7'] });
    assert.equal(info['session-timeout'], 33);
    assert.equal(info['server-name'], 'line');
    assert.equal(info['reclaim-session-timeout'], 7);
    assert.equal(info['full-trickle'], true);
    assert.equal(info['ice-lite'], true);
  });

  test('negative numbers count as not given', async () => {
    const { info } = await infoWith({ core: { general: { session_timeout: 11 }, media: { min_nack_queue: 300 } }, args: ['-s', '-5', '-m', '-1', '-Q', '-1', '-t', '-1', '-W', '-1', '-B', '-1', '-d', '-1'] });
    assert.equal(info['session-timeout'], 11);
    assert.equal(info['min-nack-queue'], 300);
  });

  test('secrets of the command line stand in no log', async () => {
    const { log } = await infoWith({ args: ['-d', '7', '-a', 'my-api-secret', '-A', '--token-auth-secret', 'my-token-secret', '-K', 'my-passphrase'] });
    for (const secret of ['my-api-secret', 'my-token-secret', 'my-passphrase'])
      assert.ok(!log.includes(secret), secret);
  });
});

describe('the main file', ours, () => {
  const KEYS = '[general]\nsession_timeout = 17\nserver_name = from ini\n[nat]\nfull_trickle => yes ; by an arrow\n';

  test('a .cfg where there is no .jcfg', async () => {
    const port = await freePort();
    const server = await startServer({ name: 'api-ini', port, files: { 'janus.jcfg': null, 'janus.cfg': KEYS, 'janus.transport.websockets.jcfg': null,
      'janus.transport.websockets.cfg': `[general]\nws = yes\nws_ip = 127.0.0.1\nws_port = ${port}\n` }, core: {}, args: [] });
    const info = await answers(port);
    assert.equal(info['session-timeout'], 17);
    assert.equal(info['server-name'], 'from ini');
    assert.equal(info['full-trickle'], true);
    await server.stop();
  });

  test('the .cfg is tried when the .jcfg is broken, and that is said', async () => {
    const { info, log } = await infoWith({ files: { 'janus.jcfg': 'general: {\n  session_timeout = \n', 'janus.cfg': KEYS } });
    assert.equal(info['session-timeout'], 17);
    assert.match(log, /janus\.jcfg, line \d/);
    assert.match(log, /janus\.cfg was read/);
  });

  test('every spelling of the dialect', async () => {
    const { info } = await infoWith({ files: { 'janus.jcfg': `
# a comment
// another
/* and
   a third */
GENERAL: {
  Session_Timeout = "21";   reclaim_session_timeout : 0x0A,
  server_name = "two " "parts\\x21 \\"quoted\\" \\\\ \\t";
  token_auth = "no"
}
nat = { full_trickle = "YES"  ice_lite = "true"
  nat_1_1_mapping = "192.0.2.7,192.0.2.8"; }
media: { twcc_period = 150L; dtls_mtu = 1200 }
something_else: { deep: { deeper: ( 1, "two", { three = [ 1, 2 ] } ) } }
` } });
    assert.equal(info['session-timeout'], 21);
    assert.equal(info['reclaim-session-timeout'], 10);
    assert.equal(info['server-name'], 'two parts! "quoted" \\ \t');
    assert.equal(info['full-trickle'], true);
    assert.equal(info['ice-lite'], true);
    assert.equal(info['twcc-period'], 150);
    assert.deepEqual(info['public-ips'], ['192.0.2.7', '192.0.2.8']);
  });

  for (const [name, content] of [['a syntax error', 'general: { x = }'], ['random bytes', randomBytes(20000)], ['NULs', Buffer.alloc(1000)], ['an open group', 'general: {'],
    ['an open text', 'general: { a = "x'], ['an open comment', 'general: { } /* x'], ['a brace too many', 'general: { } }'], ['a file of 8 MB', Buffer.alloc(8 << 20, 'a = 1\n')],
    ['groups 10,000 deep', 'a: { '.repeat(10000)], ['an include of itself', '@include "janus.jcfg"\n'], ['an include of nothing', '@include "nothing.jcfg"\n']])
    test(`${name}: exit 1 with the line, never a start with defaults`, async () => {
      const port = await freePort();
      const dir = folderWith({ 'janus.jcfg': content, 'janus.transport.websockets.jcfg': websockets(port) });
      for (const args of [['-F', dir], ['-F', dir, '-C', join(dir, 'janus.jcfg')]]) {
        const { code, out } = await runToEnd(args, { cwd: dir });
        assert.equal(code, 1, out);
        assert.match(out, /can't be used/);
        assert.match(out, /line \d+|too long|NUL/);
      }
    });

  test('-C: a file that is not there, or a folder: exit 1', async () => {
    const dir = folderWith({ 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    for (const path of ['/nonexistent/janus.jcfg', dir, '/dev/null/x', '']) {
      const { code, out } = await runToEnd(['-F', dir, '-C', path]);
      assert.equal(code, 1, `${path}: ${out}`);
      assert.match(out, /can't be used/);
    }
  });

  test('-C with an empty file is a configuration, an unreadable one is none', async () => {
    const { info } = await infoWith({ files: { 'janus.jcfg': '' } });
    assert.equal(info['session-timeout'], 60);
  });

  test('no main file at all: defaults, and that is said', async () => {
    const port = await freePort();
    const dir = folderWith({ 'janus.transport.websockets.jcfg': websockets(port) });
    const server = await startServer({ name: 'api-nomain', port, files: { 'janus.jcfg': '' }, args: ['-F', dir] });
    await server.stop();
    const { code, out } = await runToEnd(['-F', folderWith({})]);
    assert.equal(code, 1);
    assert.match(out, /built-in defaults/);
    assert.match(out, /no transport serves the Janus API/);
  });

  test('values that are none are said, and do not stop it', async () => {
    const { info, log } = await infoWith({ core: { general: { debug_level: 'loud', session_timeout: -5, log_rotate_sig: 'SIGTERM', interface: 'nonsense' },
      nat: { ice_nomination: 'both', nat_1_1_mapping: 'x,192.0.2.9' }, media: { rtp_port_range: '30000-20000', min_nack_queue: 5000 } } });
    assert.equal(info['session-timeout'], 60);
    assert.equal(info['min-nack-queue'], 1000);
    assert.equal(info['public-ip'], '192.0.2.9');
    for (const pattern of [/debug_level loud/, /SIGTERM is neither/, /'nonsense'/, /ice_nomination/, /nat_1_1_mapping/])
      assert.match(log, pattern);
  });

  test('keys that are known and not built are said once each', async () => {
    const { log } = await infoWith({ core: { general: { no_webrtc_encryption: true, event_loops: 5 }, nat: { ice_tcp: true, turn_server: '192.0.2.1' } } });
    for (const key of ['general.no_webrtc_encryption', 'general.event_loops', 'nat.ice_tcp', 'nat.turn_server'])
      assert.equal(log.split(`${key} has no effect`).length, 2, key);
  });

  test('disabled plugins and transports', async () => {
    const { info } = await infoWith({ core: { plugins: { disable: 'libjanus_nosip.so, libjanus_echotest.so' } } });
    assert.deepEqual(Object.keys(info.plugins), ['janus.plugin.textroom', ROOM]);
    const dir = folderWith({ 'janus.jcfg': jcfg({ transports: { disable: 'libjanus_websockets.so' } }), 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    const { code, out } = await runToEnd(['-F', dir]);
    assert.equal(code, 1);
    assert.match(out, /no transport serves the Janus API/);
  });
});

describe('what must not start', { ...ours, concurrency: true }, () => {
  test('no transport that serves the Janus API: it says so, exit 1', async () => {
    const { code, out } = await runToEnd(['-F', folderWith({ 'janus.jcfg': '', 'janus.transport.pfunix.jcfg': jcfg({ general: { enabled: true } }) })]);
    assert.equal(code, 1);
    assert.match(out, /path is missing: no Unix socket is opened/);
    assert.match(out, /no transport serves the Janus API/);
  });

  test('stored tokens: exit 1, and what to do', async () => {
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    for (const args of [['-A'], ['--token-auth']]) {
      const { code, out } = await runToEnd(['-F', dir, ...args]);
      assert.equal(code, 1, out);
      assert.match(out, /token_auth without token_auth_secret/);
    }
  });

  test('half a certificate, an unreadable one, one that is none', async () => {
    const dir = folderWith({ 'janus.jcfg': '', 'x.pem': 'hello', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    for (const args of [['-c', join(dir, 'x.pem')], ['-k', join(dir, 'x.pem')], ['-c', '/nonexistent', '-k', '/nonexistent'], ['-c', join(dir, 'x.pem'), '-k', join(dir, 'x.pem')]]) {
      const { code, out } = await runToEnd(['-F', dir, ...args]);
      assert.equal(code, 1, args.join(' '));
      assert.match(out, /cert|can't read \/nonexistent/i);
    }
  });

  test('too few descriptors, a log that cannot be opened, a pid file that cannot be had', async () => {
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    for (const [args, pattern] of [[['-l', '99999999'], /descriptors allowed/], [['-L', '/nonexistent/x.log'], /can't open the log file/], [['-p', '/nonexistent/x.pid'], /pid file/], [['-p', dir], /pid file/]]) {
      const { code, out } = await runToEnd(['-F', dir, ...args]);
      assert.equal(code, 1, args.join(' '));
      assert.match(out, pattern);
    }
  });

  test('a STUN server that does not answer: exit 1, unless it may be ignored', async () => {
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    const { code, out } = await runToEnd(['-F', dir, '-S', `127.0.0.1:${await freePort()}`], { ms: 30000 });
    assert.equal(code, 1);
    assert.match(out, /STUN/i);
    const { info } = await infoWith({ core: { nat: { stun_server: '127.0.0.1', stun_port: await freePort(), ignore_unreachable_ice_server: true } } });
    assert.equal(info['stun-server'], undefined);
  });

  test('a range of ports without a free one', async () => {
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    const taken = dgram.createSocket('udp4');
    await new Promise(done => taken.bind(0, '127.0.0.1', done));
    const { port } = taken.address();
    const { code, out } = await runToEnd(['-F', dir, '-r', `${port}-${port}`, '-E', 'lo']);
    taken.close();
    assert.equal(code, 1, out);
    assert.match(out, /can't open a UDP socket on 127\.0\.0\.1/);
  });
});

describe("Debian's configuration, as it is", { skip: (IS_REFERENCE && 'crashes it') || (!existsSync('/etc/janus/janus.jcfg') && 'the package janus is not installed') }, () => {
  const copy = () => {
    const dir = mkdtempSync(join(tmpdir(), 'cardea-debian-'));
    cpSync('/etc/janus', dir, { recursive: true });
    return dir;
  };

  test('starts; the sample admin secret is named and only keeps the admin listener closed; rooms guarded by a sample secret are not managed by it', async () => {
    const dir = copy();
    const port = await freePort();
    const path = join(dir, 'janus.transport.websockets.jcfg');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/ws_port = 8188/, `ws_port = ${port}`));
    const server = await startServer({ name: 'api-debian', port, args: ['-F', dir, '-C', join(dir, 'janus.jcfg')] });
    const client = await server.connect();
    const handle = await (await client.session()).attach(ROOM);
    const { list } = await handle.sync({ request: 'list' });
    assert.ok(list.some(room => room.room === 1234), JSON.stringify(list));
    assert.equal((await handle.message({ request: 'join', room: 1234, ptype: 'publisher' })).data.videoroom, 'joined');
    assert.equal((await (await handle.session.attach(ECHO)).message({ audio: true })).data.result, 'ok');
    assert.equal((await handle.sync({ request: 'destroy', room: 1234, secret: 'adminpwd' })).error_code, 433);
    await server.logged(/admin_secret/);
    client.close();
    await server.stop();
    for (const secret of ['janusoverlord', 'adminpwd'])
      assert.ok(!server.log().includes(`"${secret}"`));
  });

  test('a folder with only its HTTP transport serves that', async () => {
    const dir = copy();
    const port = await freePort();
    const path = join(dir, 'janus.transport.http.jcfg');
    writeFileSync(join(dir, 'janus.transport.websockets.jcfg'), 'general: { ws = false }\n');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^(\s*port = )8088/m, `$1${port}`));
    const server = await startServer({
      name: 'api-debian-http', args: ['-F', dir, '-C', join(dir, 'janus.jcfg')],
      ready: async () => (await fetch(`http://127.0.0.1:${port}/janus/info`)).ok,
    });
    const created = await fetch(`http://127.0.0.1:${port}/janus`, { method: 'POST', body: JSON.stringify({ janus: 'create', transaction: 'x' }) });
    assert.equal((await created.json()).janus, 'success');
    await server.stop();
  });
});

describe('signals', { concurrency: true }, () => {
  test('TERM and INT: a clean stop, exit 0, Bye!, at once when nobody is there', async () => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      const server = await startServer({ name: 'api-signal' });
      const begun = Date.now();
      server.kill(signal);
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      if (!IS_REFERENCE)
        assert.ok(Date.now() - begun < 700 * SLOW, `${Date.now() - begun} ms`);
      assert.match(server.log(), /Bye!/);
      await server.stop();
    }
  });

  test('TERM under load: clients are told, exit 0, within seconds', async () => {
    const server = await startServer({ name: 'api-signal-load', rooms: { 'room-1': { publishers: 300 } } });
    const clients = await Promise.all(Array.from({ length: 40 }, () => server.connect()));
    const handles = await Promise.all(clients.map(async client => (await client.session()).attach(ROOM)));
    await Promise.all(handles.map(handle => handle.message({ request: 'joinandconfigure', room: 1, ptype: 'publisher' }, offer())));
    const peers = [];
    for (let i = 0; i < 5; i++) {
      const peer = await openPeer();
      peers.push(peer);
      const handle = await handles[i].session.attach(ECHO);
      await peer.connect((await handle.message({ audio: true }, peer.offer())).jsep.sdp);
    }
    let stopping = false;
    const storm = clients.map(async client => { while (!stopping && !client.isClosed) { client.send({ janus: 'create', transaction: 'x' }); client.inbox.length = 0; await sleep(1); } });
    await sleep(300);
    const begun = Date.now();
    server.kill('SIGTERM');
    const how = await server.exited;
    stopping = true;
    assert.deepEqual(how, { code: 0, signal: null });
    assert.ok(Date.now() - begun < 5000 * SLOW, `${Date.now() - begun} ms`);
    await Promise.all(storm);
    if (!IS_REFERENCE)
      for (const client of clients)
        assert.equal((await client.closed).code, 1001);
    for (const peer of peers)
      peer.close();
    await server.stop();
  });

  test('TERM with clients that neither read nor close: within the time it gives them', ours, async () => {
    const server = await startServer({ name: 'api-signal-deaf' });
    const raws = await Promise.all(Array.from({ length: 20 }, async () => {
      const raw = await rawWebSocket(server.port);
      raw.socket.pause();
      for (let i = 0; i < 20; i++)
        raw.write(request({ janus: 'ping', transaction: 'x'.repeat(100000) }));
      return raw;
    }));
    await sleep(200);
    const begun = Date.now();
    server.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(Date.now() - begun < 5000 * SLOW, `${Date.now() - begun} ms`);
    await Promise.all(raws.map(raw => raw.destroy()));
    await server.stop();
  });

  test('a second TERM only says so, the third ends it with 1', ours, async () => {
    const server = await startServer({ name: 'api-signal-three' });
    const raw = await rawWebSocket(server.port);      /* keeps the stop busy for its two seconds */
    server.kill('SIGTERM');
    await server.logged(/stopping/);
    server.kill('SIGINT');
    await server.logged(/once more to stop at once/);
    server.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 1, signal: null });
    await raw.destroy();
  });

  test('HUP and USR1 end it where nobody asked for them, as signals do', async () => {
    for (const signal of ['SIGHUP', 'SIGUSR1']) {
      const server = await startServer({ name: 'api-signal-default' });
      server.kill(signal);
      assert.deepEqual(await server.exited, { code: null, signal });
    }
  });

  test('PIPE does nothing', ours, async () => {
    const server = await startServer({ name: 'api-signal-pipe' });
    server.kill('SIGPIPE');
    await sleep(100);
    assert.ok(await answers(server.port));
    await server.stop();
  });

  test('stopped and continued: after 20 s it goes on, and no watchdog bites', async () => {
    const server = await startServer({ name: 'api-signal-stop', core: { general: { session_timeout: 0 } }, websockets: { general: { pingpong_trigger: 100, pingpong_timeout: 100 } } });
    const client = await server.connect();
    const session = await client.session();
    server.kill('SIGSTOP');
    const waiting = client.request({ janus: 'keepalive', session_id: session.id }, 40000);
    await sleep(20000);
    server.kill('SIGCONT');
    assert.equal((await waiting).janus, 'ack');
    await sleep(2500);
    assert.equal((await session.request({ janus: 'keepalive' })).janus, 'ack');
    client.close();
    await server.stop();
  });
});

describe('logs', ours, () => {
  test('rotation by each signal: what is written later is in the new file, nothing is lost', async () => {
    for (const signal of ['SIGHUP', 'SIGUSR1']) {
      const folder = mkdtempSync(join(tmpdir(), 'cardea-log-'));
      const log = join(folder, 'c.log');
      const server = await startServer({ name: 'api-log', args: ['-L', log, '-R', signal, '-d', '5', '-D', '-o'] });
      const client = await server.connect();
      const ids = [];
      const more = async n => { for (let i = 0; i < n; i++) ids.push((await client.session()).id); };
      for (let round = 1; round <= 5; round++) {
        await more(20);
        await until('the log has it', () => readFileSync(log, 'utf8').includes(String(ids.at(-1))));
        renameSync(log, `${log}.${round}`);
        server.kill(signal);
        await until('there is a new file', () => existsSync(log));
      }
      await more(1);
      client.close();
      await server.stop();
      const all = [1, 2, 3, 4, 5].map(n => readFileSync(`${log}.${n}`, 'utf8')).join('') + readFileSync(log, 'utf8');
      for (const id of ids)
        assert.equal(all.split(`Session ${id} created`).length, 2, `${id} stands in it once`);
      assert.ok(readFileSync(log, 'utf8').includes('Bye!'));
      assert.match(all, /^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\] /m);
    }
  });

  test('appends, prefixes, levels, colours', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cardea-log-'));
    const log = join(folder, 'c.log');
    writeFileSync(log, 'before\n');
    const run = async (general, args = []) => {
      const server = await startServer({ name: 'api-log-form', core: { general: { log_to_file: log, debug_timestamps: false, ...general } }, args });
      await server.stop();
      return server.log();
    };
    await run({ log_prefix: '<cardea> ' });
    assert.ok(readFileSync(log, 'utf8').startsWith('before\n<cardea> '));
    assert.match(await run({ debug_colors: true, pid_file: '' , log_rotate_sig: 'SIGQUIT' }), /\x1b\[33m\[WARN\]\x1b\[0m /);
    assert.doesNotMatch(await run({ log_rotate_sig: 'SIGQUIT' }, ['-o']), /\x1b/);
    assert.doesNotMatch(await run({}, ['-d', '0']), /Bye!|listening/);
    assert.equal((await run({}, ['-N'])).split('\n').length, 4, 'only the three lines');
  });

  test('a full or unwritable standard output does not stop it', async () => {
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    const { signal } = await runToEnd(['-F', dir], { wrap: ['sh', '-c', 'exec "$0" "$@" > /dev/full 2>&1'], ms: 1500 });
    assert.equal(signal, 'SIGKILL', 'it ran until it was stopped');
  });

  test('a standard output that is closed does not stop it', async () => {
    const port = await freePort();
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(port) });
    const server = await startServer({ name: 'api-log-closed', port, args: ['-F', dir], wrap: ['sh', '-c', 'exec "$0" "$@" >&- 2>&-'] });
    await server.stop();
  });
});

describe('daemon and pid file', ours, () => {
  const processOf = pid => { try { return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); } catch { return null; } };

  test('-b: the parent ends with 0 once it serves; the child has a session and a folder of its own, and the umask that it was started with, and its paths still hold', async () => {
    const port = await freePort();
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(port) });
    const { code, out } = await runToEnd(['-b', '-F', '.', '-p', 'c.pid', '-L', 'c.log'], { cwd: dir });
    assert.equal(code, 0, out);
    const info = await answers(port, 1000);
    assert.equal(info['log-path'], join(dir, 'c.log'));
    const pid = Number(readFileSync(join(dir, 'c.pid'), 'utf8'));
    const stat = processOf(pid);
    assert.equal(Number(stat[3]), pid, 'a session of its own');
    const umask = path => /^Umask:\s+(\d+)$/m.exec(readFileSync(path, 'utf8'))[1];
    assert.equal(umask(`/proc/${pid}/status`), IS_REFERENCE ? '0000' : umask('/proc/self/status'), 'what it writes is not everybody\'s');
    process.kill(pid, 'SIGTERM');
    await until('it has gone', () => processOf(pid) === null || processOf(pid)[0] === 'Z');
    assert.ok(!existsSync(join(dir, 'c.pid')), 'the pid file is gone');
    assert.match(readFileSync(join(dir, 'c.log'), 'utf8'), /Bye!/);
  });

  test('-b: a start that fails is the parent\'s failure', async () => {
    for (const args of [[], ['-l', '99999999']]) {
      const dir = folderWith(args.length === 0 ? { 'janus.jcfg': '' } : { 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
      const { code } = await runToEnd(['-b', '-F', dir, ...args]);
      assert.equal(code, 1);
    }
  });

  test('a pid file has the number and a newline, is locked against a second one, and goes with its owner only', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'cardea-pid-'));
    const pid = join(dir, 'c.pid');
    writeFileSync(pid, '999999999 an old one, longer than ours\n');
    const server = await startServer({ name: 'api-pid', args: ['-p', pid] });
    assert.equal(readFileSync(pid, 'utf8'), `${server.pid}\n`);
    const second = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(await freePort()) });
    const { code, out } = await runToEnd(['-F', second, '-p', pid]);
    assert.equal(code, 1);
    assert.match(out, /can't lock the pid file/);
    assert.equal(readFileSync(pid, 'utf8'), `${server.pid}\n`);
    await server.stop();
    assert.ok(!existsSync(pid));
    const again = await startServer({ name: 'api-pid-again', args: ['-p', pid] });
    again.kill('SIGKILL');
    await again.exited;
    const third = await startServer({ name: 'api-pid-third', args: ['-p', pid] });
    assert.equal(readFileSync(pid, 'utf8'), `${third.pid}\n`);
    await third.stop();
  });

  test('-H: the daemon works there', async () => {
    const port = await freePort();
    const dir = folderWith({ 'janus.jcfg': '', 'janus.transport.websockets.jcfg': websockets(port) });
    mkdirSync(join(dir, 'here'));
    const pid = join(dir, 'c.pid');
    const { code } = await runToEnd(['-b', '-F', dir, '-p', pid, '-H', join(dir, 'here')]);
    assert.equal(code, 0);
    const number = Number(readFileSync(pid, 'utf8'));
    assert.equal(statSync(`/proc/${number}/cwd/`).ino, statSync(join(dir, 'here')).ino);
    process.kill(number, 'SIGTERM');
    await until('it has gone', () => !existsSync(pid));
  });
});
