// The echo test under each option that changes how a connection is made.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { jcfg } from '../api/lib/jcfg.mjs';
import { IS_REFERENCE, WEB, freePort, startServer } from '../api/lib/server.mjs';
import { serveFolder } from '../api/lib/static.mjs';
import { openBrowser, report, until } from './lib/browsers.mjs';

const VARIANTS = {
  'candidates in events of their own': { nat: { full_trickle: true } },
  'ICE lite': { nat: { ice_lite: true } },
  'regular nomination': { nat: { ice_nomination: 'regular' } },
  'a mapped address beside the private one': { nat: { nat_1_1_mapping: '203.0.113.5', keep_private_host: true } },
  'IPv6 too': { media: { ipv6: true } },
  'an RSA certificate': { certificates: { rsa_private_key: true } },
  'a small DTLS MTU': { media: { dtls_mtu: 300 } },
};
const skip = IS_REFERENCE && 'options are ours to try';

for (const kind of process.env.SHORT ? ['chromium'] : ['chromium', 'firefox'])
  describe(`in ${kind}`, { skip }, () => {
    let browser;
    before(async () => { browser = await openBrowser(kind); });
    after(async () => { await browser?.close(); });

    const comesBack = async url => {
      const page = await browser.page(url);
      await until('picture and sound come back', async () => {
        const r = await report(page);
        return r.phase === 'running' && r.numbers.back?.video?.framesDecoded > 5 && r.numbers.back?.audio?.audioEnergy > 0;
      }, 30000);
      assert.equal((await report(page)).error, '');
      await page.close();
    };

    for (const [name, core] of Object.entries(VARIANTS))
      test(name, async () => {
        const server = await startServer({ name: 'browser-variants', web: true, core });
        try {
          await comesBack(`${server.page.replace(/\/$/, '')}/echotest.html?autostart=1&codec=vp8`);
        } finally {
          await server.stop();
        }
      });

    test('the API over HTTP, with long polls, behind a proxy', async () => {
      const port = await freePort(), pages = await serveFolder(WEB, { janus: port });
      const server = await startServer({ name: 'browser-variants-http', files: { 'janus.transport.http.jcfg': jcfg({ general: { http: true, port } }) } });
      try {
        await comesBack(`http://localhost:${pages.port}/echotest.html?autostart=1&codec=vp8&server=${encodeURIComponent(`http://localhost:${pages.port}/janus`)}`);
      } finally {
        await server.stop();
        await pages.close();
      }
    });
  });
