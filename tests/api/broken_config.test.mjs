// A plugin's configuration that can't be read: the plugin stays closed, the others serve. Defaults in its place would be a room
// server without the admin key and the secrets that the file sets.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IS_REFERENCE, startServer } from './lib/server.mjs';

test('a plugin whose file is broken is left out, with a message', { skip: IS_REFERENCE && 'the reference starts it with defaults' }, async () => {
  const server = await startServer({ name: 'api-broken-config',
    files: { 'janus.plugin.videoroom.jcfg': 'general: {\n  admin_key = "only we may create rooms"\n' } });
  const client = await server.connect();
  const session = await client.session();
  const reply = await session.request({ janus: 'attach', plugin: 'janus.plugin.videoroom' });
  assert.equal(reply.error?.code, 460, JSON.stringify(reply));
  await session.attach('janus.plugin.echotest');
  assert.ok(!Object.hasOwn((await client.request({ janus: 'info' })).plugins, 'janus.plugin.videoroom'));
  assert.match(server.log(), /janus\.plugin\.videoroom.* line \d/);
  assert.ok(!server.log().includes('only we may create'));
  client.close();
  await server.stop();
});
