// The differential harness: scripted sessions (scenarios/) against this server and against Debian's janus, transcripts compared.
// A difference is listed in docs/JANUS-COMPAT.md, or it fails; a listed one that no longer occurs fails too.
//
//   CARDEA_BIN=build/release/cardea node --test tests/diff/diff.test.mjs
//   DIFF_ONLY='switch' node --test tests/diff/diff.test.mjs       scenarios whose name contains it; what is listed is not checked
//   DIFF_SHOW=1                                                   also prints what is listed
//   DIFF_SAVE=FILE                                               also writes what is not listed there, as JSON
//   CARDEA_REFERENCE                                              the reference's program; default /usr/bin/janus

import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ROOT } from '../api/lib/server.mjs';
import { compare } from './lib/compare.mjs';
import { REFERENCE, runAll } from './lib/lanes.mjs';
import { find, readListed } from './lib/listed.mjs';

const LANES = Number(process.env.DIFF_LANES ?? 3);
const ONLY = process.env.DIFF_ONLY ?? '';

const folder = join(ROOT, 'tests/diff/scenarios');
const scenarios = [];
for (const file of readdirSync(folder).filter(f => f.endsWith('.mjs')).sort()) {
  const subject = file.slice(0, -4);
  const { default: list } = await import(join(folder, file));
  scenarios.push(...list.map(s => ({ ...s, name: `${subject}: ${s.name}` })));
}
const chosen = scenarios.filter(s => !s.off && s.name.includes(ONLY));
const listed = readListed(join(ROOT, 'docs/JANUS-COMPAT.md'));
const isThere = existsSync(REFERENCE);

const results = new Map();
for (const scenario of chosen) {
  const result = { };
  result.promise = new Promise(done => { result.done = done; });
  results.set(scenario, result);
}

const unlisted = [];
const show = d => `${d.where}\n      ${d.path}\n      here:      ${d.here.slice(0, 400)}\n      reference: ${d.reference.slice(0, 400)}${d.full ? `\n      ${d.full.slice(0, 400)}` : ''}`;

before(() => {
  if (isThere)
    runAll(chosen, LANES, async (scenario, sides, lane) => {
      if (process.env.DIFF_SHOW)
        console.log(`${sides.ms.here} ms and ${sides.ms.reference} ms: ${scenario.name}`);
      let differences = compare(scenario.name, sides.here, sides.reference);
      /* Two shared cores may stand still for longer than a step waits: what differs is played once more. */
      if (differences.some(d => !listed.some(row => Object.entries(row.patterns).every(([key, re]) => re.test(d[key]))))) {
        const { here, reference } = await lane.run(scenario);
        differences = compare(scenario.name, here, reference);
      }
      results.get(scenario).done(differences);
    }).catch(error => { for (const { done } of results.values()) done(error); });
});

after(() => {
  if (process.env.DIFF_SAVE)
    writeFileSync(process.env.DIFF_SAVE, JSON.stringify(unlisted));
});

describe('the same as the reference, but for what is listed', { skip: !isThere && `${REFERENCE} is not there` }, () => {
  for (const scenario of chosen)
    test(scenario.name, async () => {
      const differences = await results.get(scenario).promise;
      if (differences instanceof Error)
        throw differences;
      const own = [];
      for (const difference of differences) {
        const row = find(listed, difference);
        if (row === undefined)
          own.push(difference);
        else if (process.env.DIFF_SHOW)
          console.log(`listed as ${row.name}: ${show(difference)}`);
      }
      unlisted.push(...own);
      assert.equal(own.length, 0, `${own.length} differences that docs/JANUS-COMPAT.md does not list:\n    ${own.map(show).join('\n    ')}`);
    });
});

describe('the list', { skip: (!isThere && `${REFERENCE} is not there`) || (ONLY !== '' && 'not all scenarios were played') }, () => {
  for (const row of listed)
    test(`${row.name} still occurs`, { skip: row.when === 'sometimes' && 'it may be absent' }, () => assert.ok(row.seen > 0, `${row.name} was not seen: take it off the list in docs/JANUS-COMPAT.md`));
});
