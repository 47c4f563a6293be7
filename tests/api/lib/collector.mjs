// A web server that keeps the events that are posted to it, and behaves as badly as it is told.
//
//   const collector = await openCollector({ answer: (request, response, body) => response.end() });
//   ... server started with collector.config(): the files and the core's groups of a server that posts there
//   await collector.next(e => e.type === 1 && e.event.name === 'created');      the first such event that nobody has taken
//   collector.events, collector.posts ({headers, body, events}); collector.close()

import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

import { jcfg } from './jcfg.mjs';

const EVENT_MS = Number(process.env.CARDEA_REPLY_MS ?? 10000);

/* What has come, and who waits for what: shared by all kinds of receivers. */
export class EventLog {
  constructor() {
    this.events = [];
    this.waiting = [];
  }

  add(list) {
    for (const event of list) {
      this.events.push(event);
      event.taken = false;
    }
    Object.defineProperty(this, 'last', { value: list, configurable: true });
    this.waiting = this.waiting.filter(waiter => !waiter.try());
  }

  next(want = () => true, ms = EVENT_MS) {
    return new Promise((done, fail) => {
      const waiter = {
        try: () => {
          const found = this.events.find(event => !event.taken && want(event));
          if (found === undefined)
            return false;
          found.taken = true;
          clearTimeout(waiter.timer);
          done(found);
          return true;
        },
      };
      if (waiter.try())
        return;
      waiter.timer = setTimeout(() => {
        this.waiting = this.waiting.filter(other => other !== waiter);
        fail(new Error(`no such event came: ${want}; there were ${JSON.stringify(this.events.map(e => [e.type, e.subtype, e.event?.name ?? e.event]).slice(-20))}`));
      }, ms);
      this.waiting.push(waiter);
    });
  }
}

export async function openCollector({ answer = (request, response) => response.end(), port = 0 } = {}) {
  const log = new EventLog();
  const collector = Object.assign(log, { posts: [], answer });
  const sockets = new Set();
  const http = createServer((request, response) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
      const raw = Buffer.concat(parts);
      const body = String(request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw);
      const payload = JSON.parse(body);
      const events = Array.isArray(payload) ? payload : [payload];
      collector.posts.push({ method: request.method, url: request.url, headers: request.headers, raw, body, payload });
      collector.answer(request, response, events);
      collector.add(events);
    });
  });
  http.on('connection', socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise(done => http.listen(port, '127.0.0.1', done));
  collector.port = http.address().port;
  collector.url = `http://127.0.0.1:${collector.port}/events`;
  collector.close = () => new Promise(done => {
    for (const socket of sockets)
      socket.destroy();
    http.close(done);
  });
  return collector;
}

/* Options of startServer: event handlers are on, and these have these files: {sampleevh: {backend: ...}}. */
export function withHandlers(handlers, events = {}) {
  const files = {};
  for (const [name, general] of Object.entries(handlers))
    files[`janus.eventhandler.${name}.jcfg`] = jcfg({ general: { enabled: true, events: 'all', ...general } });
  return { core: { events: { broadcast: true, ...events } }, files };
}
