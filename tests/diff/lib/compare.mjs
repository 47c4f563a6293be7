// What two transcripts of one scenario differ in: a list of {where, path, here, reference}.
//
//   where       'SCENARIO / STEP'; a handle's events are the step 'a: events'
//   path        'plugindata.data.publishers.{77}.metadata', 'jsep.sdp.media[].lines.a=inactive': an entry of a list without order is
//               named, a place in one with an order is []
//   here, ...   the value as JSON, or `absent`

const ABSENT = 'absent';
const said = v => v === undefined ? ABSENT : JSON.stringify(v);
const isObject = v => v !== null && typeof v === 'object' && !Array.isArray(v);

function values(here, reference, path, found) {
  if (isObject(here) && isObject(reference)) {
    for (const key of new Set([...Object.keys(here), ...Object.keys(reference)]))
      values(here[key], reference[key], path === '' ? key : `${path}.${key}`, found);
  } else if (Array.isArray(here) && Array.isArray(reference) && here.length === reference.length) {
    here.forEach((item, i) => values(item, reference[i], `${path}[]`, found));
  } else if (said(here) !== said(reference)) {
    found.push({ path, here: said(here), reference: said(reference) });
  }
}

/* What an event is about: those of one kind are compared with each other. */
const KINDS = ['publishers', 'joining', 'unpublished', 'leaving', 'kicked', 'moderation', 'configured', 'started', 'paused', 'switched', 'left', 'error_code', 'substream', 'temporal', 'result', 'display',
  'metadata'];

export function kind(message) {
  const data = message.plugindata?.data;
  if (data === undefined)
    return message.janus ?? Object.keys(message)[0];
  const own = data.videoroom ?? data.echotest ?? data.textroom;
  const key = own === 'event' || own === undefined ? KINDS.find(k => data[k] !== undefined) ?? 'event' : own;
  return key + (message.jsep ? `+${message.jsep.type}` : '');
}

/* The longest sequence that both have; what is left over is absent on one side. */
function sequences(here, reference, path, found) {
  const length = Array.from({ length: here.length + 1 }, () => new Array(reference.length + 1).fill(0));
  for (let i = here.length - 1; i >= 0; i--)
    for (let j = reference.length - 1; j >= 0; j--)
      length[i][j] = kind(here[i]) === kind(reference[j]) ? 1 + length[i + 1][j + 1] : Math.max(length[i + 1][j], length[i][j + 1]);
  let i = 0, j = 0;
  while (i < here.length || j < reference.length)
    if (i < here.length && j < reference.length && kind(here[i]) === kind(reference[j]))
      values(here[i++], reference[j++], path, found);
    else if (j >= reference.length || (i < here.length && length[i + 1][j] >= length[i][j + 1]))
      found.push({ path: `${path}${kind(here[i])}`, here: 'present', reference: ABSENT, full: said(here[i++]) });
    else
      found.push({ path: `${path}${kind(reference[j])}`, here: ABSENT, reference: 'present', full: said(reference[j++]) });
}

/* After the point where one of them was over (it crashed, a step threw) the other's transcript means nothing. */
export function compare(scenario, here, reference) {
  const found = [];
  const add = (step, list) => found.push(...list.map(d => ({ where: `${scenario} / ${step}`, ...d })));
  const isCut = here.ended.how !== 'done' || reference.ended.how !== 'done';
  if (here.ended.how !== reference.ended.how) {
    const [first] = [here, reference].filter(t => t.ended.how !== 'done');
    add(first.ended.at, [{ path: 'server', here: here.ended.how, reference: reference.ended.how }]);
  }
  const count = isCut ? Math.min(here.steps.length, reference.steps.length) - 1 : Math.max(here.steps.length, reference.steps.length);
  for (let i = 0; i < count; i++) {
    const mine = here.steps[i], theirs = reference.steps[i];
    const list = [];
    if (mine?.label !== theirs?.label)
      list.push({ path: 'step', here: said(mine?.label), reference: said(theirs?.label) });
    else
      sequences(mine.answers, theirs.answers, '', list);
    if (mine?.texts !== undefined || theirs?.texts !== undefined)
      values(mine?.texts, theirs?.texts, 'text', list);
    add((mine ?? theirs).label, list);
  }
  if (!isCut)
    for (const name of new Set([...Object.keys(here.events), ...Object.keys(reference.events)])) {
      const list = [];
      sequences(here.events[name] ?? [], reference.events[name] ?? [], '', list);
      add(`${name}: events`, list);
    }
  return found;
}
