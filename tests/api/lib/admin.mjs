// The Admin API of a server that startServer has started with `...adminOptions(...)`: by HTTP requests or a WebSocket.

import http from 'node:http';

import { connect } from './client.mjs';
import { freePort } from './server.mjs';
import { jcfg } from './jcfg.mjs';

export const SECRET = 'an admin secret of our own';

let number = 0;

/* Options for startServer, and the ports they open. */
export async function adminOptions({ core = {}, http: more = {}, websockets = {}, general = {}, files = {}, ...rest } = {}) {
  const ports = { http: await freePort(), admin: await freePort(), adminWs: await freePort() };
  return {
    ports,
    core: { ...core, general: { admin_secret: SECRET, ...core.general } },
    ...rest,
    files: {
      'janus.transport.http.jcfg': jcfg({
        general: { http: true, ip: '127.0.0.1', port: ports.http, ...general },
        admin: { admin_http: true, admin_ip: '127.0.0.1', admin_port: ports.admin, ...more },
      }),
      ...files,
    },
    websockets: { ...websockets, admin: { admin_ws: true, admin_ws_ip: '127.0.0.1', admin_ws_port: ports.adminWs, ...websockets.admin } },
  };
}

/* {status, headers, text, body}; a body that is a string is sent as it is. */
export function fetchAdmin(port, path, { method = 'POST', body, headers = {} } = {}) {
  return new Promise((done, fail) => {
    const req = http.request({ host: '127.0.0.1', port, path, method, headers }, res => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', data => { text += data; });
      res.on('end', () => {
        let json;
        try { json = JSON.parse(text); } catch { /* not JSON */ }
        done({ status: res.statusCode, headers: res.headers, text, body: json });
      });
    });
    req.on('error', fail);
    req.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

/* request => its answer. `path`: session and handle may stand there or in the request. */
export function overHttp(ports, secret = SECRET) {
  return async (request, path = '') => (await fetchAdmin(ports.admin, `/admin${path}`, { body: { transaction: `t${++number}`, admin_secret: secret, ...request } })).body;
}

export async function overWebSocket(ports, secret = SECRET) {
  const client = await connect(`ws://127.0.0.1:${ports.adminWs}/`, { protocol: 'janus-admin-protocol' });
  const ask = request => client.request({ admin_secret: secret, ...request });
  ask.client = client;
  ask.close = () => client.close();
  return ask;
}
