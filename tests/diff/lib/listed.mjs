// The differences that docs/JANUS-COMPAT.md lists for this harness: the table below its heading "Differences, as they are tested".
//
//   | name | where | path | here | reference | when | why |
//
// where, path, here, reference stand in backticks; `*` in them is anything, `{a,b}` one of these (a comma in a or b is `\,`). when: `always` (it must be seen
// in every run) or `sometimes` (it may be absent).

import { readFileSync } from 'node:fs';

const HEADING = '## Differences, as they are tested';

const ESCAPED_COMMA = '\u0001';

function pattern(cell) {
  const source = cell.replaceAll('\\,', ESCAPED_COMMA).replace(/[.+?^$()[\]\\|]/g, '\\$&').replaceAll('*', '.*')
    .replace(/\{([^{}]*,[^{}]*)\}/g, (_, list) => `(?:${list.replaceAll(',', '|')})`).replace(/[{}]/g, '\\$&').replaceAll(ESCAPED_COMMA, ',');
  return new RegExp(`^${source}$`, 's');
}

export function readListed(path) {
  const text = readFileSync(path, 'utf8');
  const begin = text.indexOf(`\n${HEADING}\n`);
  if (begin < 0)
    throw new Error(`${path} has no heading "${HEADING}"`);
  const section = text.slice(begin + 1).split(/\n## /)[0];
  return section.split('\n').filter(line => /^\| `/.test(line)).map(line => {
    const cells = line.split('|').slice(1, -1).map(cell => cell.trim().replace(/^`(.*)`$/, '$1'));
    if (cells.length !== 7 || !['always', 'sometimes'].includes(cells[5]) || cells[6] === '')
      throw new Error(`${path}: not a row of seven cells: ${line}`);
    const [name, where, what, here, reference, when, why] = cells;
    return { name, when, why, seen: 0, patterns: { where: pattern(where), path: pattern(what), here: pattern(here), reference: pattern(reference) } };
  });
}

/* The row that lists this difference; it is counted. */
export function find(listed, difference) {
  const row = listed.find(({ patterns }) => Object.entries(patterns).every(([key, re]) => re.test(difference[key])));
  if (row !== undefined)
    row.seen++;
  return row;
}
