// The server as a whole: figures, graphs, actors, rooms. All from /metrics, but for the rooms, whom their plugins are asked for.

import { Graph, el, format } from './graph.js';
import { Change, parse } from './metrics.js';

const ROOMS_SHOWN = 200;

export class Overview {
  #server;
  #before = null;
  #at = 0;
  #figures = new Map();
  #actors = new Map();
  #graphs = {
    rate: new Graph('Media', ['in', 'out'], format.bits, { least: 1e5 }),
    loss: new Graph('Lost packets', ['in', 'out'], format.percent, { least: 0.01 }),
    rtt: new Graph('Round trips', ['half', '95 %'], format.seconds, { least: 0.01 }),
    requests: new Graph('Requests a second', ['all', 'errors'], format.count, { least: 1 }),
  };

  constructor(server) {
    this.#server = server;
    document.getElementById('graphs').replaceChildren(...Object.values(this.#graphs).map(g => el('div', { class: 'box' }, g.node)));
  }

  async look() {
    const families = parse(await this.#server.metrics());
    const at = performance.now();
    const change = new Change(this.#before, families, (at - this.#at) / 1000);
    this.#before = families;
    this.#at = at;
    this.#showFigures(change);
    this.#showGraphs(change, at);
    this.#showActors(change);
    const info = families.get('cardea_info')?.[0]?.labels ?? {};
    return { version: info.version, commit: info.commit, accepting: change.sum('cardea_accepting_sessions') === 1, draining: change.sum('cardea_draining') === 1 };
  }

  #figure(name, value, small = '', tone = '') {
    let figure = this.#figures.get(name);
    if (!figure) {
      figure = { value: el('b'), small: el('small') };
      figure.node = el('div', { class: 'figure' }, el('span', {}, name), figure.value, figure.small);
      this.#figures.set(name, figure);
      document.getElementById('figures').append(figure.node);
    }
    figure.value.textContent = value;
    figure.small.textContent = small;
    figure.node.dataset.tone = tone;
  }

  #loss(c, direction) {
    const lost = c.rate('cardea_media_lost_total', { direction }), packets = c.rate('cardea_udp_packets_total', { direction });
    return packets === null ? null : lost + packets === 0 ? 0 : lost / (lost + packets);
  }

  #showFigures(c) {
    const memory = c.sum('process_resident_memory_bytes'), limit = c.sum('cardea_memory_limit_bytes');
    const fds = c.sum('process_open_fds'), fdsMax = c.sum('process_max_fds');
    const out = c.rate('cardea_udp_bytes_total', { direction: 'out' }), into = c.rate('cardea_udp_bytes_total', { direction: 'in' });
    const cpu = c.rate('process_cpu_seconds_total');
    const lost = this.#loss(c, 'out');
    this.#figure('Sessions', format.count(c.sum('cardea_sessions')), `${format.count(c.sum('cardea_client_connections'))} connections`);
    this.#figure('PeerConnections', format.count(c.sum('cardea_peerconnections')), `${format.count(c.sum('cardea_handles'))} handles`);
    this.#figure('Streams', format.count(c.sum('cardea_streams', { kind: 'sent' })), `sent; ${format.count(c.sum('cardea_streams', { kind: 'received' }))} received`);
    this.#figure('Rooms', format.count(c.sum('cardea_rooms')), `${format.count(c.sum('cardea_streams', { kind: 'recorded' }))} recordings`);
    this.#figure('Media out', out === null ? '–' : format.bits(out * 8), into === null ? '' : `${format.bits(into * 8)} in`);
    this.#figure('Lost', lost === null ? '–' : format.percent(lost), 'towards clients', lost > 0.05 ? 'bad' : '');
    this.#figure('Processor', cpu === null ? '–' : `${cpu.toFixed(2)}`, 'cores busy');
    this.#figure('Memory', format.bytes(memory), `of ${format.bytes(limit)}`, memory > 0.8 * limit ? 'bad' : '');
    this.#figure('Descriptors', format.count(fds), `of ${format.count(fdsMax)}`, fds > 0.8 * fdsMax ? 'bad' : '');
  }

  #showGraphs(c, at) {
    const bits = direction => { const rate = c.rate('cardea_udp_bytes_total', { direction }); return rate === null ? null : rate * 8; };
    const quantile = share => c.before === null ? null : c.quantile('cardea_rtt_seconds', share);
    this.#graphs.rate.add(at, [bits('in'), bits('out')]);
    this.#graphs.loss.add(at, [this.#loss(c, 'in'), this.#loss(c, 'out')]);
    this.#graphs.rtt.add(at, [quantile(0.5), quantile(0.95)]);
    this.#graphs.requests.add(at, [c.rate('cardea_request_seconds_count'), c.rate('cardea_request_errors_total')]);
  }

  #showActors(c) {
    const body = document.getElementById('actors');
    for (const { labels: { actor }, value } of c.now.get('cardea_actor_up') ?? []) {
      let row = this.#actors.get(actor);
      if (!row) {
        row = { bar: el('i'), share: el('span'), cells: [el('td'), el('td'), el('td'), el('td')] };
        row.load = el('div', { class: 'load' }, row.bar, row.share);
        row.node = el('tr', {}, el('td', {}, actor), el('td', {}, row.load), ...row.cells);
        this.#actors.set(actor, row);
        body.append(row.node);
      }
      const load = c.rate('cardea_actor_turn_seconds_sum', { actor });
      row.bar.style.setProperty('--share', Math.min(1, load ?? 0));
      row.load.dataset.tone = value === 0 || load > 0.7 ? 'bad' : '';
      row.share.textContent = value === 0 ? 'silent' : load === null ? '–' : format.percent(load);
      const tail = c.quantile('cardea_actor_turn_seconds', 0.99, { actor });
      const texts = [c.rate('cardea_actor_turn_seconds_count', { actor }), tail, c.rate('cardea_actor_messages_total', { actor }), c.sum('cardea_actor_ring_messages', { actor })];
      const formats = [format.count, format.seconds, format.count, format.count];
      texts.forEach((text, i) => { row.cells[i].textContent = text === null ? '–' : formats[i](text); });
    }
  }

  /* ---- rooms ---- */

  async #list(plugin) {
    try {
      const { response } = await this.#server.ask('message_plugin', { plugin, request: { request: 'list' } });
      return (response.list ?? []).map(room => ({ ...room, plugin: plugin.replace('janus.plugin.', '') }));
    } catch {
      return [];            /* it isn't there, or has no rooms */
    }
  }

  async lookAtRooms() {
    const lists = await Promise.all(['janus.plugin.videoroom', 'janus.plugin.textroom', 'janus.plugin.audiobridge'].map(p => this.#list(p)));
    const rooms = lists.flat().sort((a, b) => b.num_participants - a.num_participants || (String(a.room) < String(b.room) ? -1 : 1));
    document.getElementById('room-count').textContent = rooms.length > ROOMS_SHOWN ? `the ${ROOMS_SHOWN} fullest of ${rooms.length}` : String(rooms.length);
    document.getElementById('no-rooms').hidden = rooms.length > 0;
    document.getElementById('rooms').replaceChildren(...rooms.slice(0, ROOMS_SHOWN).map(room =>
      el('tr', {}, el('td', {}, room.room), el('td', {}, room.description ?? ''), el('td', {}, room.plugin), el('td', {}, room.num_participants ?? ''))));
  }
}
