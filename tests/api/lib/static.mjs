// Serves a folder over HTTP on loopback. Only used where the server under test can't: with the reference server, and
// to load a page from another origin; or as the proxy that stands in front of the API in a deployment.

import { createServer, request as ask } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/* `janus`: the port of an API over HTTP, which is reached by /janus here. */
export function serveFolder(folder, { janus } = {}) {
  const server = createServer(async (request, response) => {
    if (janus && /^\/janus(\/|\?|$)/.test(request.url)) {
      const onward = ask({ host: '127.0.0.1', port: janus, path: request.url, method: request.method, headers: request.headers }, answer => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
      return;
    }
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const file = join(folder, path.endsWith('/') ? path + 'index.html' : path);
    try {
      if (!file.startsWith(folder))
        throw new Error('outside');
      const body = await readFile(file);
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'no-store' });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  return new Promise(done => server.listen(0, '127.0.0.1', () => done({
    port: server.address().port,
    close: () => new Promise(closed => { server.close(closed); server.closeAllConnections?.(); }),
  })));
}
