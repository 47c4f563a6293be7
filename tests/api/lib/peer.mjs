// A WebRTC peer without a codec: it answers and sends ICE checks (RFC 8445, 5389) and lets `openssl s_client` do the DTLS
// handshake through its socket. Enough for the server to say webrtcup, so that a publisher is one and can be subscribed to; and
// what it is given as RTP it sends, what comes it keeps: peer.send(packet), peer.received, peer.feedback (srtp.mjs).
//
//   const peer = await openPeer();
//   const { jsep } = await handle.message({ request: 'publish' }, peer.offer({ media: [...] }));
//   await peer.connect(jsep.sdp);            back once DTLS is done
//   ... peer.close();
//
// For the server's offers: peer.answer(sdp), send it, then peer.connect(sdp).

import { createHmac, randomBytes, createHash, X509Certificate } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import dgram from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { answerTo, offer, parseSdp } from './sdp.mjs';
import { feedback, parseRtp, rtp, srtp } from './srtp.mjs';

const MAGIC = 0x2112a442;
const BINDING = 0x0001, SUCCESS = 0x0101;
const USERNAME = 0x0006, INTEGRITY = 0x0008, XOR_MAPPED = 0x0020, PRIORITY = 0x0024, USE_CANDIDATE = 0x0025, FINGERPRINT = 0x8028, CONTROLLING = 0x802a, CONTROLLED = 0x8029;

let identity = null;

/* One certificate for all peers of a process. */
function certificate() {
  if (identity === null) {
    const folder = mkdtempSync(join(tmpdir(), 'cardea-peer-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'),
      '-days', '2', '-subj', '/CN=test'], { stdio: 'ignore' });
    const der = new X509Certificate(readFileSync(join(folder, 'cert.pem'))).raw;
    identity = { folder, fingerprint: createHash('sha256').update(der).digest('hex').toUpperCase().match(/../g).join(':') };
  }
  return identity;
}

const CRC = Array.from({ length: 256 }, (_, n) => { let c = n; for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ c >>> 1 : c >>> 1; return c >>> 0; });
function crc32(bytes) {
  let c = 0xffffffff;
  for (const b of bytes)
    c = CRC[(c ^ b) & 255] ^ c >>> 8;
  return (c ^ 0xffffffff) >>> 0;
}

function stun(type, transaction, attributes, key) {
  const parts = attributes.map(([t, value]) => {
    const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
    padded.writeUInt16BE(t, 0);
    padded.writeUInt16BE(value.length, 2);
    value.copy(padded, 4);
    return padded;
  });
  const head = Buffer.alloc(20);
  head.writeUInt16BE(type, 0);
  head.writeUInt32BE(MAGIC, 4);
  transaction.copy(head, 8);
  const sized = extra => { head.writeUInt16BE(Buffer.concat(parts).length + extra, 2); return Buffer.concat([head, ...parts]); };
  const mac = createHmac('sha1', key).update(sized(24)).digest();
  parts.push(Buffer.concat([Buffer.from([0, INTEGRITY, 0, 20]), mac]));
  const crc = Buffer.alloc(8);
  crc.writeUInt16BE(FINGERPRINT, 0);
  crc.writeUInt16BE(4, 2);
  crc.writeUInt32BE((crc32(sized(8)) ^ 0x5354554e) >>> 0, 4);
  parts.push(crc);
  return sized(0);
}

const u32 = n => { const b = Buffer.alloc(4); b.writeUInt32BE(n >>> 0); return b; };

export class Peer {
  constructor(socket) {
    this.socket = socket;
    this.ufrag = randomBytes(6).toString('base64url');
    this.pwd = randomBytes(18).toString('base64url');
    this.tie = randomBytes(8);
    this.remote = null;
    this.selected = false;
    this.isClosed = false;
    this.checksAnswered = 0;
    this.received = [];                  /* RTP that came in */
    this.feedback = [];                  /* payload-specific RTCP that came in: keyframes asked for, bit rates */
    this.answers = true;                 /* false: the peer has vanished */
    socket.on('message', (data, from) => this.#arrived(data, from));
  }

  offer(options = {}) {
    this.controlling = true;
    return offer({ ufrag: this.ufrag, pwd: this.pwd, fingerprint: certificate().fingerprint, setup: 'active', ...options });
  }

  answer(sdp, setup = 'active') {
    this.controlling = false;
    const made = answerTo(sdp, { ufrag: this.ufrag, pwd: this.pwd, setup });
    made.sdp = made.sdp.replace(/(a=fingerprint:sha-256 ).*/g, `$1${certificate().fingerprint}`);
    return made;
  }

  /* Finds the server by its description, and ends when the DTLS handshake has. */
  async connect(sdp, ms = 15000) {
    const { session, media } = parseSdp(sdp);
    const lines = [...session, ...media.flatMap(m => m.attributes)];
    const value = name => lines.find(l => l.startsWith(`a=${name}:`))?.slice(name.length + 3);
    const [, , , , address, port] = (value('candidate') ?? '').split(' ');
    if (port === undefined)
      throw new Error('no candidate in the description');
    this.remote = { address, port: Number(port), ufrag: value('ice-ufrag'), pwd: value('ice-pwd') };
    const checks = setInterval(() => this.#check(), 50);
    this.#check();
    try {
      await new Promise((done, fail) => {
        this.found = done;
        setTimeout(() => fail(new Error('no answer to the checks')), ms).unref();
      });
      await this.#handshake(ms);
    } finally {
      clearInterval(checks);
    }
    return this;
  }

  #check() {
    if (this.isClosed)
      return;
    const attributes = [[USERNAME, Buffer.from(`${this.remote.ufrag}:${this.ufrag}`)], [PRIORITY, u32(1845501695)], [this.controlling ? CONTROLLING : CONTROLLED, this.tie]];
    if (this.controlling)
      attributes.push([USE_CANDIDATE, Buffer.alloc(0)]);
    this.socket.send(stun(BINDING, randomBytes(12), attributes, this.remote.pwd), this.remote.port, this.remote.address);
  }

  #arrived(data, from) {
    if (!this.answers)
      return;
    if (data[0] >= 128 && data[0] < 192) {
      if (this.theirs !== undefined)
        this.#media(data);
    } else if (data[0] >= 20 && data[0] < 64) {
      if (this.dtlsPort !== undefined && !this.isClosed)
        this.dtls.send(data, this.dtlsPort, '127.0.0.1');
    } else if (data[0] < 4 && data.readUInt16BE(0) === BINDING) {
      const mapped = Buffer.alloc(8);
      mapped[1] = 1;
      mapped.writeUInt16BE(from.port ^ MAGIC >>> 16, 2);
      from.address.split('.').forEach((n, i) => { mapped[4 + i] = Number(n) ^ (MAGIC >>> (24 - 8 * i) & 255); });
      this.checksAnswered++;
      this.socket.send(stun(SUCCESS, data.subarray(8, 20), [[XOR_MAPPED, mapped]], this.pwd), from.port, from.address);
    } else if (data[0] < 4 && data.readUInt16BE(0) === SUCCESS) {
      this.found?.();
    }
  }

  #media(data) {
    const control = data[1] >= 192 && data[1] < 224;
    const packet = control ? this.theirs.openControl(data) : this.theirs.open(data);
    if (packet === null)
      this.forged = (this.forged ?? 0) + 1;
    else if (control)
      this.feedback.push(...feedback(packet));
    else
      this.received.push(parseRtp(packet));
  }

  /* One RTP packet, {ssrc, pt, seq, ts, marker, ext, payload}; or one RTCP compound as bytes. */
  send(packet) {
    const sealed = Buffer.isBuffer(packet) ? this.ours.sealControl(packet) : this.ours.seal(rtp(packet));
    this.socket.send(sealed, this.remote.port, this.remote.address);
  }

  /* s_client talks to a socket of ours; what it sends goes on to the server from the one that ICE has tried. */
  async #handshake(ms) {
    this.dtls = dgram.createSocket('udp4');
    await new Promise(done => this.dtls.bind(0, '127.0.0.1', done));
    this.dtls.on('message', (data, from) => {
      this.dtlsPort = from.port;
      if (!this.isClosed)
        this.socket.send(data, this.remote.port, this.remote.address);
    });
    const { folder } = certificate();
    this.client = spawn('openssl', ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${this.dtls.address().port}`, '-cert', join(folder, 'cert.pem'), '-key', join(folder, 'key.pem'),
      '-use_srtp', 'SRTP_AES128_CM_SHA1_80', '-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', '60', '-mtu', '1200', '-nocommands'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    await new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no DTLS handshake within ${ms} ms:\n${out.slice(-2000)}`)), ms);
      const look = data => {
        out += data;
        const keys = /Keying material: ([0-9A-F]{120})/.exec(out);
        if (keys !== null && /SRTP Extension negotiated/.test(out)) { clearTimeout(timer); this.#keys(Buffer.from(keys[1], 'hex')); done(); }
      };
      this.client.stdout.on('data', look);
      this.client.stderr.on('data', look);
      this.client.once('exit', code => { clearTimeout(timer); fail(new Error(`openssl ended (${code}):\n${out.slice(-2000)}`)); });
    });
  }

  /* RFC 5764 4.2: we are the client of the handshake. */
  #keys(material) {
    const part = (from, size) => material.subarray(from, from + size);
    this.ours = srtp(part(0, 16), part(32, 14));
    this.theirs = srtp(part(16, 16), part(46, 14));
  }

  /* Says goodbye by a close_notify. */
  bye() {
    this.client?.stdin.end();
  }

  close() {
    this.isClosed = true;
    this.client?.removeAllListeners('exit');
    this.client?.kill('SIGKILL');
    this.dtls?.close();
    this.socket.close();
  }
}

export async function openPeer() {
  const socket = dgram.createSocket('udp4');
  await new Promise((done, fail) => { socket.once('error', fail); socket.bind(0, done); });
  return new Peer(socket);
}
