// What a PeerConnection says of itself, once a second, as the few numbers a tile shows.

/* One sampler for each PeerConnection: rates need the sample before. */
export class Sampler {
  #before = new Map();

  #rate(id, field, value, timestamp) {
    const key = `${id}/${field}`;
    const last = this.#before.get(key);
    this.#before.set(key, { value, timestamp });
    if (last === undefined || timestamp <= last.timestamp || value < last.value)
      return null;
    return (value - last.value) / (timestamp - last.timestamp);      /* per millisecond */
  }

  /* {receive: Map mid -> numbers, send: {audio, video}, rttMs} */
  async sample(pc) {
    const report = await pc.getStats();
    const midOfTrack = new Map(pc.getTransceivers().map(t => [t.receiver.track?.id, t.mid]));
    const rttMs = pathRtt(report);
    const receive = new Map();
    const send = {};
    for (const s of report.values()) {
      if (s.type === 'inbound-rtp')
        receive.set(s.mid ?? midOfTrack.get(s.trackIdentifier), this.#inbound(s, report, rttMs));
      else if (s.type === 'outbound-rtp')
        this.#addOutbound(send, s, report, rttMs);
    }
    return { receive, send, rttMs };
  }

  #inbound(s, report, rttMs) {
    const received = this.#rate(s.id, 'received', s.packetsReceived, s.timestamp);
    const lost = this.#rate(s.id, 'lost', Math.max(0, s.packetsLost ?? 0), s.timestamp);
    return {
      kind: s.kind,
      codec: codecName(report, s.codecId),
      width: s.frameWidth ?? 0,
      height: s.frameHeight ?? 0,
      fps: s.framesPerSecond ?? null,
      kbps: kbps(this.#rate(s.id, 'bytes', s.bytesReceived, s.timestamp)),
      lossPercent: received === null ? null : percent(lost ?? 0, (lost ?? 0) + received),
      rttMs,
      framesDecoded: s.framesDecoded ?? 0,
      audioEnergy: s.totalAudioEnergy ?? 0,
      audioLevel: s.audioLevel ?? 0,
    };
  }

  /* Simulcast layers are rows of their own: added up, the biggest living one gives the resolution. */
  #addOutbound(send, s, report, rttMs) {
    const remote = report.get(s.remoteId);
    const rate = kbps(this.#rate(s.id, 'bytes', s.bytesSent, s.timestamp));
    const sum = send[s.kind] ??= { kind: s.kind, codec: null, width: 0, height: 0, fps: null, kbps: null, lossPercent: null, rttMs, framesSent: 0, layers: [] };
    sum.codec ??= codecName(report, s.codecId);
    sum.framesSent += s.framesSent ?? s.framesEncoded ?? 0;
    if (rate !== null)
      sum.kbps = (sum.kbps ?? 0) + rate;
    if (s.kind === 'video')
      sum.layers.push({ rid: s.rid ?? '', width: s.frameWidth ?? 0, height: s.frameHeight ?? 0, kbps: rate });
    if ((s.frameHeight ?? 0) > sum.height && rate !== 0)
      Object.assign(sum, { width: s.frameWidth, height: s.frameHeight, fps: s.framesPerSecond ?? null });
    if (remote !== undefined) {
      if (remote.fractionLost !== undefined)
        sum.lossPercent = Math.max(sum.lossPercent ?? 0, remote.fractionLost * 100);
      if (remote.roundTripTime !== undefined)
        sum.rttMs = remote.roundTripTime * 1000;
    }
  }
}

function pathRtt(report) {
  let pair = null;
  for (const s of report.values()) {
    if (s.type === 'transport' && s.selectedCandidatePairId)
      return toMs(report.get(s.selectedCandidatePairId)?.currentRoundTripTime);
    if (s.type === 'candidate-pair' && (s.selected || (s.nominated && s.state === 'succeeded')))
      pair = s;
  }
  return toMs(pair?.currentRoundTripTime);
}

const toMs = seconds => seconds === undefined ? null : seconds * 1000;
const kbps = bytesPerMs => bytesPerMs === null ? null : bytesPerMs * 8;
const percent = (part, whole) => whole > 0 ? part / whole * 100 : 0;

function codecName(report, id) {
  return report.get(id)?.mimeType?.split('/')[1]?.toUpperCase() ?? null;
}

/* ---- the numbers as text ---- */

const dash = '–';

export function showRate(value) {
  if (value === null || value === undefined)
    return dash;
  return value >= 1000 ? `${(value / 1000).toFixed(1)} Mb/s` : `${Math.round(value)} kb/s`;
}

/* Rows for a tile: [label, text, bad?]. `video` or `audio` may be missing. */
export function rows(video, audio) {
  const any = video ?? audio;
  if (!any)
    return [];
  const loss = worst(video?.lossPercent, audio?.lossPercent);
  const rtt = any.rttMs;
  const total = (video?.kbps ?? null) === null && (audio?.kbps ?? null) === null ? null : (video?.kbps ?? 0) + (audio?.kbps ?? 0);
  return [
    ['codec', [video?.codec, audio?.codec].filter(Boolean).join(' · ') || dash],
    ['picture', video?.width ? `${video.width}×${video.height}${video.fps ? ` @${Math.round(video.fps)}` : ''}` : dash],
    ['rate', showRate(total)],
    ['loss', loss === null ? dash : `${loss.toFixed(1)} %`, loss > 3],
    ['RTT', rtt === null || rtt === undefined ? dash : `${rtt < 10 ? rtt.toFixed(1) : Math.round(rtt)} ms`, rtt > 300],
  ];
}

function worst(...values) {
  const known = values.filter(v => v !== null && v !== undefined);
  return known.length > 0 ? Math.max(...known) : null;
}
