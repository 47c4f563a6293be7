// Takes out of a transcript what may differ: ids, times, addresses, ports, credentials, the order of keys and of unordered lists.
// A description becomes {session: {line: true}, media: [{...}]}, each line once, whatever its place.

import { parseSdp } from '../../api/lib/sdp.mjs';

const NOISE = new Set(['media', 'slowlink']);                               /* by the clock, and no media flows here */
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

const MASKS = [
  [/^a=candidate:.*/, 'a=candidate'],
  [/^a=ice-(ufrag|pwd):.*/, 'a=ice-$1:*'],
  [/^a=fingerprint:sha-256 .*/, 'a=fingerprint:sha-256 *'],
  [/^a=ssrc:\d+ /, 'a=ssrc:* '],
  [/^a=ssrc-group:FID .*/, 'a=ssrc-group:FID *'],
  [/^o=(\S+) .*/, 'o=$1 *'],
  [/IN IP4 \S+$/, 'IN IP4 *'],
];

/* Lists without an order, since the servers keep hash tables: what names an entry. They become objects. */
const UNORDERED = { publishers: p => p.id ?? p.publisher_id, participants: p => p.id, attendees: p => p.id, list: r => r.room ?? r.remote_id, allowed: token => token };

/* The same for entries that have nothing but a random number to be named by: sorted by all the rest. */
const SORTED = { forwarders: f => JSON.stringify([f.port, f.type, f.substream, f]) };
const DRAWN = new Set(['local_rtcp_port', 'stream_id']);                    /* numbers that may be small, and are never ours */

export class Normaliser {
  constructor({ names, sent }) {
    this.names = names;
    this.sent = sent;
  }

  transcript({ ended, steps, events }) {
    return {
      ended,
      steps: steps.map(({ label, answers, texts, isExact }) => ({ label, answers: this.answers(answers, isExact), ...(texts && { texts: texts.map(t => this.text(t)) }) })),
      events: Object.fromEntries(Object.entries(events).map(([name, list]) => [name, list.filter(m => !NOISE.has(m.janus)).map(m => this.value(m))])),
    };
  }

  /* An event may come before its ack (janus-api.md 11). */
  answers(list, isExact) {
    this.isExact = isExact;
    const isAck = m => m.janus === 'ack' ? 0 : 1;
    return [...list].sort((a, b) => isAck(a) - isAck(b)).map(m => this.value(m));
  }

  value(v, key) {
    if (Array.isArray(v)) {
      const list = v.map(item => this.value(item));
      if (SORTED[key])
        return list.map(item => [SORTED[key](item), item]).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0).map(([, item]) => item);
      return UNORDERED[key] ? Object.fromEntries(list.map((item, i) => [`{${UNORDERED[key](item) ?? i}}`, item])) : list;
    }
    if (v !== null && typeof v === 'object')
      return Object.fromEntries(Object.entries(v).filter(([k]) => k !== 'transaction').map(([k, item]) => [k, k === 'sdp' ? this.sdp(item) : this.value(item, k)]));
    if (DRAWN.has(key))
      return '<number>';
    if (typeof v === 'number')
      return this.names.has(v) ? `<${this.names.get(v)}>` : Math.abs(v) >= 1e6 && !this.sent.has(String(v)) ? '<number>' : v;
    return typeof v === 'string' ? this.text(v) : v;
  }

  text(s) {
    if (this.names.has(s))
      return `<${this.names.get(s)}>`;
    if (!this.isExact)
      s = s.replace(/<string>\(\d+,\d+\)/, '<string>(*)');               /* where depends on the length of ids */
    return s.replace(UUID, u => this.names.has(u) ? `<${this.names.get(u)}>` : '<uuid>')
      .replace(/\d{7,}/g, n => this.names.has(Number(n)) ? `<${this.names.get(Number(n))}>` : this.sent.has(n) ? n : '<number>');
  }

  sdp(text) {
    if (typeof text !== 'string')
      return text;
    const { session, media } = parseSdp(text);
    const lines = list => Object.fromEntries(list.map(line => [MASKS.reduce((l, [from, to]) => l.replace(from, to), this.text(line)), true]));
    return {
      session: lines(session),
      media: media.map(m => ({ head: this.text(m.line).replace(/^(m=\S+) (\d+)/, (all, kind, port) => port === '0' || port === '9' ? all : `${kind} *`), lines: lines(m.attributes) })),
    };
  }
}
