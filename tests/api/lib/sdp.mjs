// Offers written by hand, for tests that need no media: what a browser would send, and every way to get it wrong.

const FINGERPRINT = '5B:3C:11:0E:7A:92:D4:66:1F:88:C0:35:EA:19:7D:42:A6:0B:53:F8:2E:94:61:D7:8C:30:B9:14:6F:E5:02:CB';

const EXTENSIONS = {
  audio: ['1 urn:ietf:params:rtp-hdrext:ssrc-audio-level', '3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
    '4 urn:ietf:params:rtp-hdrext:sdes:mid'],
  video: ['2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', '13 urn:3gpp:video-orientation',
    '3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', '4 urn:ietf:params:rtp-hdrext:sdes:mid',
    '10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', '11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id'],
};

/* One codec as a browser lists it: payload type, rtpmap, fmtp lines. */
export const CODECS = {
  opus: { pt: 111, map: 'opus/48000/2', fmtp: 'minptime=10;useinbandfec=1' },
  red: { pt: 63, map: 'red/48000/2', fmtp: '111/111' },
  pcmu: { pt: 0, map: 'PCMU/8000' },
  pcma: { pt: 8, map: 'PCMA/8000' },
  g722: { pt: 9, map: 'G722/8000' },
  vp8: { pt: 96, map: 'VP8/90000', rtx: 97 },
  vp9: { pt: 98, map: 'VP9/90000', rtx: 99, fmtp: 'profile-id=0' },
  h264: { pt: 102, map: 'H264/90000', rtx: 103, fmtp: 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f' },
  av1: { pt: 45, map: 'AV1/90000', rtx: 46, fmtp: 'level-idx=5;profile=0;tier=0' },
};

function codecLines(kind, name) {
  const c = CODECS[name];
  const lines = [`a=rtpmap:${c.pt} ${c.map}`];
  if (kind === 'video')
    for (const feedback of ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli'])
      lines.push(`a=rtcp-fb:${c.pt} ${feedback}`);
  else if (name === 'opus')
    lines.push(`a=rtcp-fb:${c.pt} transport-cc`);
  if (c.fmtp)
    lines.push(`a=fmtp:${c.pt} ${c.fmtp}`);
  if (c.rtx)
    lines.push(`a=rtpmap:${c.rtx} rtx/90000`, `a=fmtp:${c.rtx} apt=${c.pt}`);
  return lines;
}

function payloads(names) {
  return names.flatMap(name => [CODECS[name].pt, ...(CODECS[name].rtx ? [CODECS[name].rtx] : [])]);
}

function mediaSection(m, mid, transport) {
  const head = ['c=IN IP4 0.0.0.0', ...transport, `a=mid:${m.mid ?? mid}`];
  if (m.kind === 'data')
    return ['m=application 9 UDP/DTLS/SCTP webrtc-datachannel', ...head, 'a=sctp-port:5000', 'a=max-message-size:262144'];
  const codecs = m.codecs ?? (m.kind === 'audio' ? ['opus', 'pcmu', 'pcma'] : ['vp8', 'vp9', 'h264']);
  const lines = [`m=${m.kind} ${m.port ?? 9} UDP/TLS/RTP/SAVPF ${payloads(codecs).join(' ')}`, 'a=rtcp:9 IN IP4 0.0.0.0', ...head];
  lines.push(...EXTENSIONS[m.kind].map(e => `a=extmap:${e}`));
  lines.push(`a=${m.direction ?? 'sendrecv'}`, `a=msid:stream track${mid}`, 'a=rtcp-mux', 'a=rtcp-rsize');
  lines.push(...codecs.flatMap(name => codecLines(m.kind, name)));
  if (m.simulcast)
    lines.push('a=rid:h send', 'a=rid:m send', 'a=rid:l send', 'a=simulcast:send h;m;l');
  else if ((m.direction ?? 'sendrecv').startsWith('send'))
    lines.push(`a=ssrc:${1000 + Number(mid)} cname:test`);
  return [...lines, ...(m.extra ?? [])];
}

/* media: [{kind: 'audio'|'video'|'data', codecs, direction, simulcast, mid, port, extra}]; default: audio and video. */
export function offerSdp({ media = [{ kind: 'audio' }, { kind: 'video' }], ufrag = 'testufrag', pwd = 'testpasswordtestpassword0', setup = 'actpass',
  candidates = [], fingerprint = FINGERPRINT, session = [], version = 2 } = {}) {
  const transport = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'a=ice-options:trickle', `a=fingerprint:sha-256 ${fingerprint}`, `a=setup:${setup}`,
    ...candidates.map(c => `a=${c}`)];
  const lines = ['v=0', `o=- 4611731400430051336 ${version} IN IP4 127.0.0.1`, 's=-', 't=0 0',
    `a=group:BUNDLE ${media.map((m, i) => m.mid ?? i).join(' ')}`, 'a=extmap-allow-mixed', 'a=msid-semantic: WMS stream', ...session];
  media.forEach((m, i) => lines.push(...mediaSection(m, i, transport)));
  return lines.join('\r\n') + '\r\n';
}

export const offer = options => ({ type: 'offer', sdp: offerSdp(options) });

/* Turns the server's offer into an answer that receives everything. */
export function answerTo(sdp, { ufrag = 'answerufrag', pwd = 'answerpasswordanswerpass', setup = 'active' } = {}) {
  const { session, media } = parseSdp(sdp);
  const lines = ['v=0', 'o=- 99 2 IN IP4 127.0.0.1', 's=-', 't=0 0', ...session.filter(l => l.startsWith('a=group'))];
  for (const m of media) {
    lines.push(m.line, 'c=IN IP4 0.0.0.0', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, `a=fingerprint:sha-256 ${FINGERPRINT}`, `a=setup:${setup}`);
    lines.push(...m.attributes.filter(a => /^a=(mid|rtpmap|fmtp|rtcp-fb|extmap|rtcp-mux|sctp-port)/.test(a)));
    lines.push(m.attributes.includes('a=inactive') ? 'a=inactive' : 'a=recvonly');
  }
  return { type: 'answer', sdp: lines.join('\r\n') + '\r\n' };
}

/* {session: [lines], media: [{line, kind, port, payloads, mid, direction, attributes: [lines]}]} */
export function parseSdp(text) {
  const session = [];
  const media = [];
  for (const line of text.split(/\r?\n/).filter(l => l !== '')) {
    if (line.startsWith('m=')) {
      const [kind, port, , ...formats] = line.slice(2).split(' ');
      media.push({ line, kind, port: Number(port), payloads: formats, attributes: [] });
    } else if (media.length > 0) {
      media[media.length - 1].attributes.push(line);
    } else {
      session.push(line);
    }
  }
  for (const m of media) {
    m.mid = m.attributes.find(a => a.startsWith('a=mid:'))?.slice(6);
    m.direction = m.attributes.map(a => a.slice(2)).find(a => ['sendrecv', 'sendonly', 'recvonly', 'inactive'].includes(a)) ?? 'sendrecv';
    m.codecs = m.attributes.filter(a => a.startsWith('a=rtpmap:')).map(a => a.split(' ')[1].split('/')[0].toLowerCase());
  }
  return { session, media };
}
