// What a browser publishes is forwarded as plain RTP and as SRTP, and other people's programs decode it: FFmpeg and GStreamer.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startServer } from '../api/lib/server.mjs';
import { pli } from '../api/lib/srtp.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

const FRAMES = 30;
let server, browser, page, client, room, feed;
const rtcp = dgram.createSocket('udp4');

before(async () => {
  server = await startServer({ name: 'browser-forward', web: true, rooms: { 'room-1234': { publishers: 4, videocodec: 'vp8' } } });
  browser = await openBrowser('chromium');
  page = await browser.page(`${server.page}?${server.query ? `${server.query}&` : ''}autojoin=1&stats=1&name=ada`);
  await until('it publishes', async () => (await report(page))?.publishing === true);
  client = await server.connect();
  room = await (await client.session()).attach('janus.plugin.videoroom');
  feed = await until('it is a publisher', async () => (await room.sync({ request: 'listparticipants', room: 1234 })).participants.find(p => p.publisher)?.id);
  await new Promise(done => rtcp.bind(0, '127.0.0.1', done));
});

after(async () => {
  rtcp.close();
  client?.close();
  await browser?.close();
  await server?.stop();
});

function freeUdpPort() {
  return new Promise(done => {
    const probe = dgram.createSocket('udp4');
    probe.bind(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => done(port)); });
  });
}

/* Forwards video and audio, and asks for keyframes as a decoder would that has just begun. */
async function forward(more = {}) {
  const [video, audio] = [await freeUdpPort(), await freeUdpPort()];
  const reply = await room.sync({ request: 'rtp_forward', room: 1234, publisher_id: feed, host: '127.0.0.1', ...more, streams: [
    { mid: '0', port: audio, pt: 111 }, { mid: '1', port: video, pt: 96, rtcp_port: rtcp.address().port }] });
  assert.deepEqual(reply.forwarders?.map(f => f.type), ['audio', 'video'], JSON.stringify(reply));
  const asking = setInterval(() => rtcp.send(pli(1), reply.forwarders[1].local_rtcp_port, '127.0.0.1'), 500);
  const stop = async () => {
    clearInterval(asking);
    for (const { stream_id } of reply.forwarders)
      await room.sync({ request: 'stop_rtp_forward', room: 1234, publisher_id: feed, stream_id });
  };
  return { video, audio, stop };
}

/* The program's output, once it has ended by itself. */
function run(command, args, ms = 30000) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', complaints = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    child.stdout.on('data', data => { out += data; });
    child.stderr.on('data', data => { complaints += data; });
    child.once('error', fail);
    child.once('close', code => { clearTimeout(timer); code === 0 ? done(out) : fail(new Error(`${command} ended with ${code}:\n${out.slice(-1000)}\n${complaints.slice(-2000)}`)); });
  });
}

async function ffmpeg(ports, key) {
  const profile = key === undefined ? 'RTP/AVP' : 'RTP/SAVP', crypto = key === undefined ? [] : [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}`];
  const sdp = join(server.dir, `forward-${ports.video}.sdp`);
  writeFileSync(sdp, ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=x', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${ports.audio} ${profile} 111`, 'a=rtpmap:111 opus/48000/2', ...crypto,
    `m=video ${ports.video} ${profile} 96`, 'a=rtpmap:96 VP8/90000', ...crypto, ''].join('\r\n'));
  const out = await run('ffmpeg', ['-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'file,udp,rtp,srtp', '-i', sdp, '-map', '0:v', '-map', '0:a', '-frames:v', String(FRAMES),
    '-shortest', '-t', '5', '-f', 'framemd5', '-']);
  const lines = out.split('\n').filter(line => /^\d/.test(line)).map(line => line.split(',').map(part => part.trim()));
  const pictures = lines.filter(line => line[0] === '0').map(line => line.at(-1)), sounds = lines.filter(line => line[0] === '1').map(line => line.at(-1));
  assert.ok(pictures.length >= FRAMES / 2 && new Set(pictures).size > pictures.length / 3, `${pictures.length} pictures, ${new Set(pictures).size} of them different`);
  assert.ok(new Set(sounds).size > 5, `${sounds.length} pieces of sound, ${new Set(sounds).size} of them different`);
  console.log(`    ffmpeg: ${pictures.length} pictures (${new Set(pictures).size} different), ${sounds.length} pieces of sound (${new Set(sounds).size} different)`);
}

test('FFmpeg decodes plain RTP: pictures move, there is sound', { skip: !existsSync('/usr/bin/ffmpeg') && 'no ffmpeg' }, async () => {
  const made = await forward();
  await ffmpeg(made);
  await made.stop();
});

test('FFmpeg decodes SRTP', { skip: !existsSync('/usr/bin/ffmpeg') && 'no ffmpeg' }, async () => {
  const key = randomBytes(30).toString('base64');
  const made = await forward({ srtp_suite: 80, srtp_crypto: key });
  await ffmpeg(made, key);
  await made.stop();
});

test('GStreamer decodes video and audio', { skip: !existsSync('/usr/bin/gst-launch-1.0') && 'no gst-launch' }, async () => {
  const made = await forward();
  const caps = (media, rate, name, pt) => `application/x-rtp,media=${media},clock-rate=${rate},encoding-name=${name},payload=${pt}`;
  const decoded = (out, type) => out.split('\n').filter(line => line.includes('identity') && line.includes(`chain`) && line.includes(type)).length;
  const [video, audio] = await Promise.all([
    run('gst-launch-1.0', ['-v', 'udpsrc', `port=${made.video}`, `caps=${caps('video', 90000, 'VP8', 96)}`, '!', 'rtpjitterbuffer', '!', 'rtpvp8depay', '!', 'vp8dec', '!',
      'identity', 'silent=false', `eos-after=${FRAMES}`, '!', 'fakesink']),
    run('gst-launch-1.0', ['-v', 'udpsrc', `port=${made.audio}`, `caps=${caps('audio', 48000, 'OPUS', 111)}`, '!', 'rtpjitterbuffer', '!', 'rtpopusdepay', '!', 'opusdec', '!',
      'identity', 'silent=false', `eos-after=${FRAMES}`, '!', 'fakesink'])]);
  assert.ok(decoded(video, 'chain') >= FRAMES - 1, video.slice(-1500));
  assert.ok(decoded(audio, 'chain') >= FRAMES - 1, audio.slice(-1500));
  await made.stop();
});
