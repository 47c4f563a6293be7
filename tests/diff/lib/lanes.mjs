// Plays scenarios against both servers at once. A lane has a server of each kind for itself and starts new ones when the
// configuration changes, or when one has died or hangs; so one scenario's crash is no other's.

import { resolve } from 'node:path';

import { BIN, startServer } from '../../api/lib/server.mjs';
import { Normaliser } from './normalise.mjs';
import { ServerGone, Stage } from './stage.mjs';

export const REFERENCE = resolve(process.env.CARDEA_REFERENCE ?? '/usr/bin/janus');

async function play(server, scenario) {
  const stage = new Stage(server);
  let ended = { how: 'done' };
  try {
    await scenario.steps(stage);
    await stage.settle();
  } catch (error) {
    ended = { how: error instanceof ServerGone ? error.message : `stopped: ${error.stack.split('\n').slice(0, 3).join(' ')}`, at: stage.steps.at(-1)?.label ?? 'start' };
    if (!(error instanceof ServerGone) && server.hasEnded() !== null)
      ended.how = 'crashes';
  }
  const transcript = new Normaliser(stage).transcript(stage.transcript(ended));
  const isGone = ended.how === 'crashes' || ended.how === 'hangs';
  if (!isGone)
    await stage.cleanUp().catch(() => {});
  stage.close();
  return { isGone, transcript };
}

class Lane {
  constructor(number) {
    this.number = number;
    this.servers = {};
  }

  async #server(kind, options) {
    const key = JSON.stringify(options);
    const held = this.servers[kind];
    if (held?.key === key && held.server.hasEnded() === null)
      return held.server;
    await this.#end(kind);
    const bin = kind === 'reference' ? REFERENCE : BIN;
    const server = await startServer({ name: `diff-${kind}-${this.number}`, ...options, bin });
    this.servers[kind] = { key, server };
    return server;
  }

  /* The reference may hang when it is told to stop. */
  async #end(kind) {
    const held = this.servers[kind];
    delete this.servers[kind];
    if (held === undefined)
      return;
    if (kind === 'reference')
      held.server.kill('SIGKILL');
    await held.server.stop();
  }

  async run(scenario) {
    const options = scenario.server ?? {};
    const ms = {};
    const sides = await Promise.all(['here', 'reference'].map(async kind => {
      const began = Date.now();
      const { isGone, transcript } = await play(await this.#server(kind, options), scenario);
      if (isGone)
        await this.#end(kind);
      ms[kind] = Date.now() - began;
      return transcript;
    }));
    return { here: sides[0], reference: sides[1], ms };
  }

  async close() {
    await Promise.all(['here', 'reference'].map(kind => this.#end(kind)));
  }
}

/* Calls done(scenario, {here, reference}) for each, in no particular order. */
export async function runAll(scenarios, lanes, done) {
  const configuration = s => JSON.stringify(s.server ?? {});
  const queue = [...scenarios].sort((a, b) => configuration(a) < configuration(b) ? -1 : configuration(a) > configuration(b) ? 1 : 0);
  await Promise.all(Array.from({ length: lanes }, async (_, i) => {
    const lane = new Lane(i + 1);
    try {
      for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift())
        await done(scenario, await lane.run(scenario), lane);
    } finally {
      await lane.close();
    }
  }));
}
