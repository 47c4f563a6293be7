// Who is here: a page of sessions, their handles, and of each PeerConnection the streams with live graphs (handle_info, asked again and
// again for what is shown and nothing else). Everything that clients have chosen is text, never markup.

import { Graph, el, format } from './graph.js';

const PER_PAGE = 20, HANDLES_SHOWN = 20, AT_ONCE = 4;

const short = plugin => String(plugin ?? '').replace('janus.plugin.', '');
const sides = pair => /^(\S+) \[(\w+),(\w+)\] <-> (\S+) \[(\w+),(\w+)\]/.exec(pair ?? '');

/* What has grown between two looks, per second; null: not known. */
const rate = (now, before, seconds) => before === undefined || now === undefined || seconds <= 0 || now < before ? null : (now - before) / seconds;

function loss(lost, before, packets, packetsBefore) {
  if ([lost, before, packets, packetsBefore].includes(undefined))       /* a worker that was late: the answer is without its part */
    return null;
  const gone = Math.max(0, lost - before), come = Math.max(0, packets - packetsBefore);
  return gone + come === 0 ? 0 : gone / (gone + come);
}

/* Which ways media goes: a name that changes when they do. */
const waysOf = medium => medium.type === 'data' ? ['in', 'out'] : [medium.direction?.recv && 'in', medium.direction?.send && 'out'].filter(Boolean);

/* One line of a PeerConnection. */
class Stream {
  #before = null;
  #at = 0;
  #layers = el('div', { class: 'layers' });
  #facts = el('div', { class: 'facts' });
  #ways;

  constructor(medium) {
    const few = { seconds: 120, tiny: true };
    this.#ways = waysOf(medium);
    this.key = this.#ways.join();
    this.rate = new Graph(`${medium.type ?? 'medium'} ${medium.mid}`, this.#ways, format.bits, { least: 5e4, ...few });
    this.loss = new Graph('lost', this.#ways, format.percent, { least: 0.02, ...few });
    this.rtt = new Graph('round trip', [''], format.seconds, { least: 0.02, ...few });
    const graphs = medium.type === 'data' ? [] : this.#ways.includes('out') ? [this.loss, this.rtt] : [this.loss];
    this.node = el('div', { class: 'stream' }, this.rate.node, el('div', { class: 'side' }, ...graphs.map(g => g.node)), this.#layers, this.#facts);
  }

  /* Of values for both ways, those that are shown. */
  #only(into, out) {
    return this.#ways.map(way => way === 'in' ? into : out);
  }

  update(medium, at) {
    const before = this.#before, seconds = (at - this.#at) / 1000;
    const into = medium.stats?.in ?? {}, out = medium.stats?.out ?? {};
    const main = medium.rtcp?.main ?? {}, was = before?.rtcp?.main ?? {};
    const simulcast = ['video-simulcast-1', 'video-simulcast-2'];
    const bytes = stats => (stats?.bytes ?? 0) + simulcast.reduce((sum, name) => sum + (stats?.[name]?.bytes ?? 0), 0);
    const bits = (now, then) => { const r = rate(now, then, seconds); return r === null ? null : r * 8; };
    const known = before !== null;
    this.rate.add(at, this.#only(known ? bits(bytes(into), bytes(before.stats?.in)) : null, known ? bits(out.bytes, before.stats?.out?.bytes) : null));
    this.loss.add(at, this.#only(loss(main.lost, was.lost, into.packets, before?.stats?.in?.packets),
      loss(main['lost-by-remote'], was['lost-by-remote'], out.packets, before?.stats?.out?.packets)));
    this.rtt.add(at, [out.packets > 0 && main.rtt !== undefined ? main.rtt / 1000 : null]);
    const layers = simulcast.some(name => into[name]) ? [into, ...simulcast.map(name => into[name])] : [];
    this.#layers.replaceChildren(...layers.map((layer, i) => {
      const then = i === 0 ? before?.stats?.in : before?.stats?.in?.[simulcast[i - 1]];
      const r = layer ? bits(layer.bytes, then?.bytes) : null;
      return el('span', { class: 'tag', tone: r > 0 ? 'good' : '' }, `layer ${i} `, r === null ? '–' : format.bits(r));
    }));
    const facts = [['codec', medium.codecs?.codec], ['NACKs', medium.do_nacks ? `${into.nacks ?? 0} in, ${out.nacks ?? 0} out` : null], ['jitter', main['jitter-local'] === undefined || !medium.direction?.recv ? null : `${main['jitter-local']} ms`]];
    this.#facts.replaceChildren(...facts.filter(f => f[1]).map(([name, value]) => el('span', {}, `${name} `, el('b', {}, value))));
    this.#before = medium;
    this.#at = at;
  }
}

class Handle {
  #streams = new Map();
  #what = el('span', { class: 'what' });
  #state = el('span', { class: 'tag' });
  #facts = el('div', { class: 'facts' });
  #grid = el('div', { class: 'streams' });
  #more = el('pre');
  #hangup;

  constructor(session, id, act) {
    this.#hangup = el('button', { class: 'button short', type: 'button', disabled: true, click: () => act('hangup_webrtc', session, id, 'Hang up this call? Its client is told.') }, 'Hang up');
    const detach = el('button', { class: 'button short', type: 'button', click: () => act('detach_handle', session, id, 'Take this handle away from its client?') }, 'Detach');
    this.node = el('article', { class: 'handle' },
      el('header', {}, this.#what, el('span', { class: 'id' }, id), this.#state, el('span', { class: 'right' }, this.#hangup, detach)),
      this.#facts, this.#grid, el('details', { class: 'more' }, el('summary', {}, 'What the plugin says'), this.#more));
    this.node.dataset.handle = id;
  }

  update(info, at) {
    const { ice = {}, dtls = {}, media = {} } = info.webrtc ?? {};
    const up = info.flags?.ready === true || dtls['dtls-state'] === 'connected';
    this.#what.textContent = short(info.plugin) + (info.opaque_id ? ` · ${info.opaque_id}` : '');
    this.#state.textContent = info.webrtc ? (up ? 'connected' : ice.state ?? 'connecting') : 'no call';
    this.#state.dataset.tone = up ? 'good' : ice.state === 'failed' ? 'bad' : '';
    this.#hangup.disabled = !info.webrtc;
    const pair = sides(ice['selected-pair']);
    const said = info.plugin_specific ?? {};
    const facts = [['', [said.type && `${said.type}${said.display ? ` “${said.display}”` : ''}`, said.room && `room ${said.room}`].filter(Boolean).join(' in ')], ['client', pair ? `${pair[4]} (${pair[5]}, ${pair[6]})` : null], ['here', pair ? pair[1] : null], ['SRTP', dtls['srtp-profile'] === 'none' ? null : dtls['srtp-profile']],
      ['queued', info['queued-packets'] || null]];
    this.#facts.replaceChildren(...facts.filter(f => f[1]).map(([name, value]) => el('span', {}, `${name} `, el('b', {}, value))));
    for (const [mid, medium] of Object.entries(media)) {
      let stream = this.#streams.get(mid);
      if (stream?.key !== waysOf(medium).join()) {
        stream?.node.remove();
        stream = new Stream({ mid, ...medium });
        this.#streams.set(mid, stream);
        this.#grid.append(stream.node);
      }
      stream.update(medium, at);
    }
    for (const [mid, stream] of this.#streams)
      if (!(mid in media)) {
        stream.node.remove();
        this.#streams.delete(mid);
      }
    this.#more.textContent = JSON.stringify(said, null, 2);
  }

  unknown(why) {
    this.#what.textContent = 'handle';
    this.#state.textContent = why;
  }
}

export class Sessions {
  #server;
  #confirm;
  #page = 0;
  #wanted = '';
  #shown = new Map();             /* session id -> {node, list, handles: Map} */

  /* confirm: (text) -> Promise of a boolean. */
  constructor(server, confirm) {
    this.#server = server;
    this.#confirm = confirm;
    document.getElementById('back').addEventListener('click', () => { this.#page = Math.max(0, this.#page - 1); });
    document.getElementById('next').addEventListener('click', () => { this.#page++; });
    document.getElementById('find').addEventListener('input', event => { this.#wanted = event.target.value.trim(); this.#page = 0; });
  }

  #act = async (verb, session_id, handle_id, question) => {
    if (!await this.#confirm(question))
      return;
    try {
      await this.#server.ask(verb, { session_id, ...(handle_id !== null && { handle_id }) });
    } catch (error) {
      await this.#confirm(error.message, true);
    }
  };

  #session(id) {
    let session = this.#shown.get(id);
    if (session)
      return session;
    session = { note: el('span', { class: 'fine' }), list: el('div', { class: 'handles' }), handles: new Map() };
    session.node = el('article', { class: 'session' }, el('header', {}, el('h3', {}, id), session.note,
      el('button', { class: 'button short', type: 'button', click: () => this.#act('destroy_session', id, null, 'End this session, with all its handles and calls?') }, 'End session')), session.list);
    session.node.dataset.session = id;
    this.#shown.set(id, session);
    return session;
  }

  async #lookAtHandle(session_id, handle_id, handle, at) {
    try {
      const { info } = await this.#server.ask('handle_info', { session_id, handle_id });
      handle.update(info, at);
      return info;
    } catch (error) {
      handle.unknown(error.code === 457 ? 'this server does not tell more' : error.message);
      return null;
    }
  }

  async #lookAtSession(id, at) {
    const session = this.#session(id);
    let ids;
    try {
      ({ handles: ids } = await this.#server.ask('list_handles', { session_id: id }));
    } catch {
      return;                     /* it has ended meanwhile */
    }
    let transport = null;
    for (const handle_id of ids.slice(0, HANDLES_SHOWN)) {
      if (!session.handles.has(handle_id)) {
        const handle = new Handle(id, handle_id, this.#act);
        session.handles.set(handle_id, handle);
        session.list.append(handle.node);
      }
      transport = (await this.#lookAtHandle(id, handle_id, session.handles.get(handle_id), at))?.session_transport ?? transport;
    }
    for (const [handle_id, handle] of session.handles)
      if (!ids.includes(handle_id)) {
        handle.node.remove();
        session.handles.delete(handle_id);
      }
    session.note.textContent = `${ids.length === 1 ? 'one handle' : `${ids.length} handles`}${transport ? ` · ${transport.replace('janus.transport.', '')}` : ''}`
      + (ids.length > HANDLES_SHOWN ? ` · the first ${HANDLES_SHOWN} are shown` : '');
  }

  /* A session id, or a handle id, whose session is looked for. */
  async #match(ids) {
    if (this.#wanted === '')
      return ids;
    const found = ids.filter(id => String(id).includes(this.#wanted));
    if (found.length > 0 || !/^\d{6,}$/.test(this.#wanted))
      return found;
    for (const id of ids.slice(0, 500))
      if ((await this.#server.ask('list_handles', { session_id: id }).catch(() => ({ handles: [] }))).handles.some(h => String(h) === this.#wanted))
        return [id];
    return [];
  }

  async look() {
    const { sessions: all } = await this.#server.ask('list_sessions');
    const ids = (await this.#match(all)).sort((a, b) => a - b);
    const pages = Math.max(1, Math.ceil(ids.length / PER_PAGE));
    this.#page = Math.min(this.#page, pages - 1);
    const shown = ids.slice(this.#page * PER_PAGE, (this.#page + 1) * PER_PAGE);
    document.getElementById('session-count').textContent = String(all.length);
    document.getElementById('page-of').textContent = `${this.#page + 1} of ${pages}`;
    document.getElementById('back').disabled = this.#page === 0;
    document.getElementById('next').disabled = this.#page === pages - 1;
    document.getElementById('no-sessions').hidden = shown.length > 0;
    for (const [id, session] of this.#shown)
      if (!shown.includes(id)) {
        session.node.remove();
        this.#shown.delete(id);
      }
    document.getElementById('sessions').append(...shown.filter(id => !this.#shown.has(id)).map(id => this.#session(id).node));
    const at = performance.now(), todo = [...shown];
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (todo.length > 0)
        await this.#lookAtSession(todo.shift(), at);
    }));
  }
}
