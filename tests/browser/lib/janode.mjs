// Janode, unmodified. It loads its Unix socket transport in any case, and that one a native module; npm runs no builds here
// (.npmrc), and no test uses that transport, so an empty module stands in for the native one.

import { createRequire, Module } from 'node:module';

const require = createRequire(import.meta.url);
const path = require.resolve('unix-dgram');
require.cache[path] = Object.assign(new Module(path), {
  filename: path,
  loaded: true,
  exports: { createSocket() { throw new Error('no test uses Unix sockets through Janode'); } },
});

export const { default: Janode } = await import('janode');
export const { default: EchoTestPlugin } = await import('janode/plugins/echotest');
export const { default: VideoRoomPlugin } = await import('janode/plugins/videoroom');

Janode.Logger.setLevel('none');
