// A TCP connection without a library in between: for handshakes, frames and HTTP requests that no library would send.
//
//   const raw = await rawConnect(port);                     or { path: '/run/x.sock' }
//   raw.write(upgrade({ path: '/', headers: {...} }));
//   const head = await raw.head();                          the response's head, as text; what follows stays in raw.bytes
//   raw.write(frame(TEXT, '{"janus":"ping","transaction":"1"}'));
//   const { opcode, payload } = await raw.frame();
//   await raw.end;                                          {reset} once the other side has closed

import net from 'node:net';
import { randomBytes } from 'node:crypto';

export const CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10;

const WAIT_MS = Number(process.env.CARDEA_REPLY_MS ?? 10000);

export class Raw {
  constructor(socket) {
    this.socket = socket;
    this.bytes = Buffer.alloc(0);
    this.total = 0;
    this.isOver = false;
    this.looking = [];
    this.end = new Promise(done => {
      let failed = null;
      socket.on('error', error => { failed = error.code; });
      socket.on('end', () => { this.isOver = true; this.#look(); });
      socket.on('close', () => { this.isOver = true; this.#look(); done({ reset: failed === 'ECONNRESET', failed }); });
    });
    socket.on('data', data => {
      this.total += data.length;
      this.bytes = Buffer.concat([this.bytes, data]);
      this.#look();
    });
  }

  #look() {
    for (const waiter of [...this.looking])
      waiter();
  }

  write(data) {
    return this.socket.write(data);
  }

  /* What `find` returns, as soon as it isn't undefined; null when the other side closes first. */
  until(find, ms = WAIT_MS, what = 'bytes') {
    return new Promise((done, fail) => {
      const settle = (how, value) => {
        clearTimeout(timer);
        this.looking.splice(this.looking.indexOf(waiter), 1);
        how(value);
      };
      const timer = setTimeout(() => settle(fail, new Error(`${what} did not come within ${ms} ms; there is ${JSON.stringify(String(this.bytes)).slice(0, 500)}`)), ms);
      const waiter = () => {
        const found = find(this.bytes);
        if (found !== undefined)
          settle(done, found);
        else if (this.isOver)
          settle(done, null);
      };
      this.looking.push(waiter);
      waiter();
    });
  }

  take(size) {
    const taken = this.bytes.subarray(0, size);
    this.bytes = this.bytes.subarray(size);
    return taken;
  }

  head(ms) {
    return this.until(bytes => {
      const at = bytes.indexOf('\r\n\r\n');
      return at < 0 ? undefined : String(this.take(at + 4));
    }, ms, 'the head of a response');
  }

  /* A whole response: {status, head, body}; null when the other side closed without one. */
  async response(ms) {
    const head = await this.head(ms);
    if (head === null)
      return null;
    const status = Number(head.split(' ')[1]);
    const size = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    const body = await this.until(bytes => bytes.length < size ? undefined : this.take(size), ms, 'a body');
    return { status, head, body };
  }

  /* The next frame: {fin, rsv, opcode, masked, payload}; null at the end. */
  frame(ms) {
    return this.until(bytes => {
      if (bytes.length < 2)
        return undefined;
      let size = bytes[1] & 127, at = 2;
      if (size === 126) {
        if (bytes.length < 4)
          return undefined;
        size = bytes.readUInt16BE(2);
        at = 4;
      } else if (size === 127) {
        if (bytes.length < 10)
          return undefined;
        size = Number(bytes.readBigUInt64BE(2));
        at = 10;
      }
      if (bytes.length < at + size)
        return undefined;
      const whole = this.take(at + size);
      return { fin: whole[0] >> 7 === 1, rsv: whole[0] >> 4 & 7, opcode: whole[0] & 15, masked: whole[1] >> 7 === 1, payload: whole.subarray(at) };
    }, ms, 'a frame');
  }

  /* The next frame as a message of the API. */
  async message(ms) {
    const frame = await this.frame(ms);
    return frame === null ? null : JSON.parse(String(frame.payload));
  }

  /* The code of the close frame that must come next; null: closed without one. */
  async closeCode(ms) {
    for (;;) {
      const frame = await this.frame(ms);
      if (frame === null)
        return null;
      if (frame.opcode === CLOSE)
        return frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005;
    }
  }

  destroy() {
    this.socket.destroy();
    return this.end;
  }
}

/* where: a port on loopback, or what net.connect takes. */
export function rawConnect(where) {
  return new Promise((done, fail) => {
    const socket = net.connect(typeof where === 'number' ? { port: where, host: '127.0.0.1', noDelay: true } : where);
    socket.once('error', fail);
    socket.once('connect', () => { socket.off('error', fail); done(new Raw(socket)); });
  });
}

/* The text of an upgrade request. A header set to null is left out. */
export function upgrade({ path = '/', method = 'GET', version = 'HTTP/1.1', headers = {} } = {}) {
  const all = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Protocol': 'janus-protocol',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null).flatMap(([name, value]) => [value].flat().map(v => `${name}: ${v}\r\n`));
  return `${method} ${path} ${version}\r\n${lines.join('')}\r\n`;
}

/* Connected, and past the handshake. */
export async function rawWebSocket(where, options) {
  const raw = await rawConnect(where);
  raw.write(upgrade(options));
  const head = await raw.head();
  if (head === null || !head.startsWith('HTTP/1.1 101 '))
    throw new Error(`no upgrade: ${head}`);
  raw.handshake = head;
  return raw;
}

/* One frame as a client sends it. `size` claims another length than the payload has; `width` forces 7, 16 or 64 bits for it. */
export function frame(opcode, payload = '', { fin = true, rsv = 0, masked = true, size, width } = {}) {
  const data = Buffer.from(payload);
  const length = size ?? data.length;
  const bits = width ?? (length < 126 ? 7 : length < 65536 ? 16 : 64);
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10);
  head[0] = (fin ? 128 : 0) | rsv << 4 | opcode;
  head[1] = (masked ? 128 : 0) | (bits === 7 ? length : bits === 16 ? 126 : 127);
  if (bits === 16)
    head.writeUInt16BE(length, 2);
  else if (bits === 64)
    head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked)
    return Buffer.concat([head, data]);
  const mask = randomBytes(4);
  const body = Buffer.from(data);
  for (let i = 0; i < body.length; i++)
    body[i] ^= mask[i & 3];
  return Buffer.concat([head, mask, body]);
}

export const request = message => frame(TEXT, JSON.stringify(message));
