// The text format of Prometheus, version 0.0.4, read as strictly as it is written down: HELP and TYPE once and first, all of a family
// together, no sample twice, names and labels in their alphabet, counters that end in _total and never shrink below 0, histograms that
// are cumulative and end at +Inf.
import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const PAIR = new RegExp(`^(${LABEL})="((?:[^"\\\\\\n]|\\\\\\\\|\\\\"|\\\\n)*)"(?:,|$)`);
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?)|[+-]Inf|NaN)$/;

function labelsOf(text) {
  const labels = {};
  for (let rest = text ?? ''; rest.length > 0;) {
    const match = PAIR.exec(rest);
    assert.ok(match, `labels: ${text}`);
    assert.ok(!(match[1] in labels), `label twice: ${text}`);
    labels[match[1]] = match[2].replace(/\\(.)/g, (_, c) => c === 'n' ? '\n' : c);
    rest = rest.slice(match[0].length);
  }
  return labels;
}

function checkHistograms(family) {
  const series = new Map();
  for (const { name, labels, value } of family.samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(others);
    const s = series.get(key) ?? { buckets: [] };
    series.set(key, s);
    if (name.endsWith('_bucket'))
      s.buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
    else
      s[name.endsWith('_sum') ? 'sum' : 'count'] = value;
  }
  for (const [key, { buckets, sum, count }] of series) {
    assert.ok(buckets.length > 1 && buckets.at(-1)[0] === Infinity, `${family.name}${key} ends at +Inf`);
    for (let i = 1; i < buckets.length; i++)
      assert.ok(buckets[i][0] > buckets[i - 1][0] && buckets[i][1] >= buckets[i - 1][1], `${family.name}${key} is cumulative`);
    assert.equal(buckets.at(-1)[1], count, `${family.name}${key}: count`);
    assert.ok(sum >= 0);
  }
}

/* {families: Map name -> {name, type, help, samples}, samples: [{name, labels, value}]}, or an AssertionError. */
export function parseMetrics(text) {
  assert.ok(text.endsWith('\n'), 'ends with a newline');
  const families = new Map();
  const samples = [], seen = new Set();
  let family = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (comment) {
      const [, what, name, rest] = comment;
      if (what === 'HELP') {
        assert.ok(!families.has(name), `${name} comes twice`);
        family = { name, help: rest, type: null, samples: [] };
        families.set(name, family);
      } else {
        assert.equal(family?.name, name, line);
        assert.equal(family.type, null);
        assert.match(rest, /^(counter|gauge|histogram)$/);
        family.type = rest;
        assert.equal(rest === 'counter', name.endsWith('_total'), `${name} is a ${rest}`);
      }
      continue;
    }
    const sample = SAMPLE.exec(line);
    assert.ok(sample, `no sample: ${line}`);
    const [, name, labelText, number] = sample;
    const labels = labelsOf(labelText);
    assert.match(number, NUMBER);
    assert.ok(family?.type, `no TYPE before ${line}`);
    const ends = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    assert.ok(ends.some(end => name === family.name + end), `${name} is no part of ${family.name}`);
    assert.equal('le' in labels, name.endsWith('_bucket') && family.type === 'histogram', line);
    assert.ok(!seen.has(name + JSON.stringify(labels)), `twice: ${line}`);
    seen.add(name + JSON.stringify(labels));
    const value = Number(number.replace('Inf', 'Infinity'));
    assert.ok(family.type === 'gauge' || value >= 0, line);
    const one = { name, labels, value };
    family.samples.push(one);
    samples.push(one);
  }
  for (const one of families.values()) {
    assert.ok(one.samples.length > 0, `${one.name} is empty`);
    if (one.type === 'histogram')
      checkHistograms(one);
  }
  return { families, samples };
}
