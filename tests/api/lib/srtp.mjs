// SRTP and SRTCP with AES_CM_128_HMAC_SHA1_80 or _32 (RFC 3711), as far as tests need it: streams that start below 65536 packets and
// wrap forwards only. And RTP packets as plain objects: {ssrc, pt, seq, ts, marker, ext: {id: Buffer}, payload}.
//
//   const [theirs, ours] = [srtp(key, salt), srtp(key, salt)];
//   socket.send(ours.seal(rtp({ ssrc: 1, pt: 111, seq: 7, ts: 960, payload })));
//   parseRtp(theirs.open(datagram))             null: not authentic

import { createCipheriv, createHmac, timingSafeEqual } from 'node:crypto';

function keystream(key, salt, high, low, size) {
  const iv = Buffer.alloc(16);
  salt.copy(iv);
  for (let i = 0; i < 8; i++)
    iv[4 + i] ^= high[i];
  for (let i = 0; i < 6; i++)
    iv[8 + i] ^= low[i];
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(size));
}

/* RFC 3711 4.3: key derivation rate 0. */
function derive(key, salt, label, size) {
  const iv = Buffer.alloc(16);
  salt.copy(iv);
  iv[7] ^= label;
  return createCipheriv('aes-128-ctr', key, iv).update(Buffer.alloc(size));
}

const xor = (bytes, mask) => { for (let i = 0; i < bytes.length; i++) bytes[i] ^= mask[i]; };

const headerSize = packet => {
  const csrcs = 12 + 4 * (packet[0] & 15);
  return packet[0] & 0x10 ? csrcs + 4 + 4 * packet.readUInt16BE(csrcs + 2) : csrcs;
};

export function srtp(key, salt, tagSize = 10) {
  const keys = { cipher: derive(key, salt, 0, 16), auth: derive(key, salt, 1, 20), salt: derive(key, salt, 2, 14) };
  const control = { cipher: derive(key, salt, 3, 16), auth: derive(key, salt, 4, 20), salt: derive(key, salt, 5, 14) };
  const newest = new Map();
  let controlIndex = 0;

  /* SSRC || packet index, as it is laid over the salt (RFC 3711 4.1.1). */
  function crypt(part, packet, ssrc, index, from) {
    const high = Buffer.alloc(8), low = Buffer.alloc(6);
    high.writeUInt32BE(ssrc, 0);
    low.writeUIntBE(index, 0, 6);
    const stream = keystream(part.cipher, part.salt, high, low, packet.length - from);
    xor(packet.subarray(from), stream);
  }

  /* The roll-over counter that `seq` most likely has. */
  function rollover(ssrc, seq) {
    const last = newest.get(ssrc) ?? seq;
    let index = last - (last & 0xffff) + seq;
    if (index - last > 0x8000 && index >= 0x10000)
      index -= 0x10000;
    else if (last - index > 0x8000)
      index += 0x10000;
    newest.set(ssrc, Math.max(last, index));
    return index;
  }

  function tag(packet, index) {
    const roc = Buffer.alloc(4);
    roc.writeUInt32BE(Math.floor(index / 0x10000));
    return createHmac('sha1', keys.auth).update(packet).update(roc).digest().subarray(0, tagSize);
  }

  return {
    seal(clear) {
      const packet = Buffer.from(clear);
      const ssrc = packet.readUInt32BE(8), index = rollover(ssrc, packet.readUInt16BE(2));
      crypt(keys, packet, ssrc, index, headerSize(packet));
      return Buffer.concat([packet, tag(packet, index)]);
    },
    open(datagram) {
      if (datagram.length < 12 + tagSize)
        return null;
      const packet = Buffer.from(datagram.subarray(0, datagram.length - tagSize));
      const ssrc = packet.readUInt32BE(8), index = rollover(ssrc, packet.readUInt16BE(2));
      if (!timingSafeEqual(tag(packet, index), datagram.subarray(datagram.length - tagSize)))
        return null;
      crypt(keys, packet, ssrc, index, headerSize(packet));
      return packet;
    },
    sealControl(clear) {
      const packet = Buffer.from(clear), index = Buffer.alloc(4);
      crypt(control, packet, packet.readUInt32BE(4), controlIndex, 8);
      index.writeUInt32BE((0x80000000 | controlIndex++) >>> 0);
      const whole = Buffer.concat([packet, index]);
      return Buffer.concat([whole, createHmac('sha1', control.auth).update(whole).digest().subarray(0, 10)]);
    },
    openControl(datagram) {
      const body = datagram.subarray(0, datagram.length - 10);
      if (body.length < 12 || !timingSafeEqual(createHmac('sha1', control.auth).update(body).digest().subarray(0, 10), datagram.subarray(body.length)))
        return null;
      const packet = Buffer.from(body.subarray(0, body.length - 4)), index = body.readUInt32BE(packet.length);
      if (index & 0x80000000)
        crypt(control, packet, packet.readUInt32BE(4), index & 0x7fffffff, 8);
      return packet;
    },
  };
}

/* `ext`: one-byte extensions (RFC 8285 4.2) by their id. */
export function rtp({ ssrc, pt, seq, ts, marker = false, ext = {}, payload = Buffer.alloc(0) }) {
  const extensions = Object.entries(ext).map(([id, value]) => Buffer.concat([Buffer.from([Number(id) << 4 | value.length - 1]), value]));
  let block = Buffer.concat(extensions);
  block = Buffer.concat([block, Buffer.alloc((4 - block.length % 4) % 4)]);
  const head = Buffer.alloc(12 + (block.length > 0 ? 4 : 0));
  head[0] = 0x80 | (block.length > 0 ? 0x10 : 0);
  head[1] = (marker ? 0x80 : 0) | pt;
  head.writeUInt16BE(seq & 0xffff, 2);
  head.writeUInt32BE(ts >>> 0, 4);
  head.writeUInt32BE(ssrc >>> 0, 8);
  if (block.length > 0) {
    head.writeUInt16BE(0xbede, 12);
    head.writeUInt16BE(block.length / 4, 14);
  }
  return Buffer.concat([head, block, payload]);
}

export function parseRtp(packet) {
  const size = headerSize(packet), ext = {};
  for (let at = 12 + 4 * (packet[0] & 15) + 4; packet[0] & 0x10 && at < size;) {
    const id = packet[at] >> 4, length = (packet[at] & 15) + 1;
    if (id > 0)
      ext[id] = packet.subarray(at + 1, at + 1 + length);
    at += id > 0 ? 1 + length : 1;
  }
  const padding = packet[0] & 0x20 ? packet[packet.length - 1] : 0;
  return { ssrc: packet.readUInt32BE(8), pt: packet[1] & 127, marker: packet[1] >> 7 === 1, seq: packet.readUInt16BE(2), ts: packet.readUInt32BE(4), ext,
    payload: packet.subarray(size, packet.length - padding) };
}

/* PLI about a media SSRC (RFC 4585 6.3.1); and the (format, media SSRC) of every payload-specific feedback in a compound. */
export function pli(media, sender = 1) {
  const packet = Buffer.alloc(12);
  packet.writeUInt32BE(0x81ce0002, 0);
  packet.writeUInt32BE(sender, 4);
  packet.writeUInt32BE(media >>> 0, 8);
  return packet;
}

export function feedback(compound) {
  const found = [];
  for (let at = 0; at + 12 <= compound.length; at += 4 + 4 * compound.readUInt16BE(at + 2))
    if (compound[at + 1] === 206)
      found.push({ format: compound[at] & 31, media: compound.readUInt32BE(at + 8) });
  return found;
}
