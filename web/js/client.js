// The stock janus.js, spoken to with promises. Nothing here knows about rooms or pages.

import Janus from '../vendor/janus.js';

/* The socket is where the page came from. For a page served elsewhere (a test, a development server) ?server= names another
 * port, or the API over HTTP; never another machine: a link must not be able to send somebody's camera to a stranger. */
export function serverUrl(params) {
  const asked = params.get('server');
  if (asked) {
    const url = new URL(asked);
    if (url.hostname === location.hostname && /^(ws|http)s?:$/.test(url.protocol))
      return url.href;
  }
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
}

const init = new Promise(done => Janus.init({ debug: ['warn', 'error'], callback: done }));

/* Connects and opens a session. `lost` is called once, if it ends without our doing. */
export async function openSession(server, lost) {
  await init;
  if (!Janus.isWebrtcSupported())
    throw new Error('This browser can’t do WebRTC.');
  return new Promise((done, fail) => {
    let open = false;
    const session = new Janus({
      server,
      iceServers: [],
      success: () => { open = true; done(session); },
      error: reason => open ? lost(String(reason)) : fail(new Error(`The server at ${server} can’t be reached.`)),
      destroyed: () => { if (open) lost('The session has ended.'); },
    });
  });
}

export function attach(session, plugin, callbacks) {
  return new Promise((done, fail) => session.attach({
    plugin,
    ...callbacks,
    success: done,
    error: reason => fail(new Error(String(reason))),
  }));
}

/* Resolves when the request has been taken (asynchronous ones) or answered (synchronous ones, with the data). */
export function send(handle, message, jsep) {
  return new Promise((done, fail) => handle.send({ message, ...(jsep && { jsep }), success: done, error: reason => fail(new Error(String(reason))) }));
}

const asked = (handle, what, options) => new Promise((success, fail) => handle[what]({
  ...options,
  success,
  error: reason => fail(reason instanceof Error ? reason : new Error(String(reason))),
}));

export const createOffer = (handle, options) => asked(handle, 'createOffer', options);
export const createAnswer = (handle, options) => asked(handle, 'createAnswer', options);
export const acceptAnswer = (handle, jsep) => asked(handle, 'handleRemoteJsep', { jsep });

export function endSession(session) {
  return new Promise(done => {
    session.destroy({ cleanupHandles: true, notifyDestroyed: false, success: done, error: done });
    setTimeout(done, 1500);
  });
}
