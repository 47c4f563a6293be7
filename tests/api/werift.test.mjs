// Data channels with werift, a third implementation of SCTP and DCEP (TypeScript): through EchoTest, both ways. One
// PeerConnection carries all of them: gathering takes werift seconds.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { RTCPeerConnection } from 'werift';

import { startServer } from './lib/server.mjs';

const WAIT_MS = 30000;
const KINDS = {
  reliable: {},
  unordered: { ordered: false },
  retransmits: { ordered: false, maxRetransmits: 20 },
  lifetime: { ordered: true, maxPacketLifeTime: 20000 },
};

let server, client, handle, pc;
const boxes = {};

/* A promise that fails when it takes too long, and a timer that ends with it. */
function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error(`${what}: not in time`)), WAIT_MS); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/* A channel, and what has come back on it. */
function open(label, options) {
  const box = { channel: pc.createDataChannel(label, options), inbox: [], wake: () => {} };
  box.channel.onMessage.subscribe(data => { box.inbox.push(data); box.wake(); });
  box.opened = new Promise(resolve => box.channel.stateChanged.subscribe(state => { if (state === 'open') resolve(); }));
  box.next = async () => {
    while (box.inbox.length === 0)
      await within(new Promise(resolve => { box.wake = resolve; }), label);
    return box.inbox.shift();
  };
  return box;
}

before(async () => {
  server = await startServer({});
  client = await server.connect();
  handle = await (await client.session()).attach('janus.plugin.echotest');
  pc = new RTCPeerConnection({ iceServers: [], iceUseIpv6: false });
  for (const [label, options] of Object.entries(KINDS))
    boxes[label] = open(label, options);
  await pc.setLocalDescription(await pc.createOffer());
  const event = await handle.message({ audio: true }, { type: 'offer', sdp: pc.localDescription.sdp });
  await pc.setRemoteDescription(event.jsep);
  await within(Promise.all(Object.values(boxes).map(box => box.opened)), 'opening');
});
after(async () => {
  await pc?.close();
  await client?.close();
  await server?.stop();
});

for (const label of Object.keys(KINDS))
  test(`text and binary come back: ${label}`, async () => {
    const { channel, next } = boxes[label];
    for (const size of [1, 20, 1100, 1200, 5000, 30000]) {
      const text = 'é'.repeat(size / 2) + 'x'.repeat(size % 2);
      channel.send(text);
      assert.ok(String(await next()).includes(text), `${size} bytes of text`);
    }
    channel.send(Buffer.from([1, 2, 3, 0, 255]));
    assert.deepEqual([...Buffer.from(await next())], [1, 2, 3, 0, 255]);
  });

test('a burst of messages comes back in order', async () => {
  const { channel, next } = boxes.reliable;
  for (let i = 0; i < 100; i++)
    channel.send(Buffer.alloc(1 + i * 20, i));
  for (let i = 0; i < 100; i++)
    assert.deepEqual(Buffer.from(await next()), Buffer.alloc(1 + i * 20, i));
});
