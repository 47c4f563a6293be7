// The numbers of /metrics, and how fast they grow.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const PAIR = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/* Map name -> [{labels, value}] */
export function parse(text) {
  const families = new Map();
  for (const line of text.split('\n')) {
    const match = line.startsWith('#') ? null : LINE.exec(line);
    if (match === null)
      continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? '').matchAll(PAIR))
      labels[name] = value.replace(/\\(.)/g, '$1');
    const list = families.get(match[1]) ?? [];
    families.set(match[1], list);
    list.push({ labels, value: Number(match[3]) });
  }
  return families;
}

const fits = (labels, wanted) => Object.entries(wanted).every(([name, value]) => labels[name] === value);

/* Two snapshots and the time between them. */
export class Change {
  constructor(before, now, seconds) {
    Object.assign(this, { before, now, seconds });
  }

  sum(name, wanted = {}, from = this.now) {
    return (from?.get(name) ?? []).filter(s => fits(s.labels, wanted)).reduce((all, s) => all + s.value, 0);
  }

  grown(name, wanted = {}) {
    return this.before === null ? 0 : Math.max(0, this.sum(name, wanted) - this.sum(name, wanted, this.before));
  }

  rate(name, wanted = {}) {
    return this.before === null || this.seconds <= 0 ? null : this.grown(name, wanted) / this.seconds;
  }

  /* Of what a histogram got in between: the bound that `share` of it does not exceed, in seconds; null: it got nothing. */
  quantile(name, share, wanted = {}) {
    const bounds = new Map();
    for (const { labels, value } of this.now.get(`${name}_bucket`) ?? [])
      if (fits(labels, wanted))
        bounds.set(labels.le, (bounds.get(labels.le) ?? 0) + value);
    for (const { labels, value } of this.before?.get(`${name}_bucket`) ?? [])
      if (fits(labels, wanted) && bounds.has(labels.le))
        bounds.set(labels.le, bounds.get(labels.le) - value);
    const all = bounds.get('+Inf') ?? 0;
    if (all <= 0)
      return null;
    let low = 0, below = 0;
    for (const [le, count] of bounds) {
      const bound = le === '+Inf' ? low : Number(le);
      if (count >= share * all)
        return count === below ? bound : low + (bound - low) * ((share * all - below) / (count - below));
      low = bound;
      below = count;
    }
    return low;
  }
}
