// Lines over the last minutes. Everything is drawn with elements and attributes: no text becomes markup.

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300, HEIGHT = 100;

/* el('p', {class: 'x'}, 'text', child, ...) */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (key === 'tone')
      node.dataset.tone = value;
    else if (typeof value === 'function')
      node.addEventListener(key, value);
    else if (value !== null && value !== false)
      node.setAttribute(key, value === true ? '' : value);
  node.append(...children.filter(child => child !== null).map(child => child instanceof Node ? child : String(child)));
  return node;
}

function svg(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes))
    node.setAttribute(key, value);
  return node;
}

/* A number that is nice to read and not below `value`. */
function nice(value) {
  if (!(value > 0))
    return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(n => n * power).find(n => n >= value);
}

export class Graph {
  #lines;
  #span;
  #format;
  #least;
  #paths = [];

  /* names: of the lines; format: of a value; least: what the scale reaches at least; seconds: how far back it looks. */
  constructor(title, names, format, { least = 0, seconds = 180, tiny = false } = {}) {
    this.#lines = names.map(name => ({ name, points: [], colour: { out: 1, '': 2 }[name] }));
    this.#span = seconds * 1000;
    this.#format = format;
    this.#least = least;
    const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': title });
    picture.append(svg('line', { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }), svg('line', { x1: 0, x2: WIDTH, y1: 0, y2: 0 }));
    this.#lines.forEach((line, at) => {
      const i = line.colour ?? at;
      line.area = svg('path', { class: `area c${i}` });
      line.path = svg('path', { class: `c${i}` });
      line.value = el('b', {}, '–');
      line.key = el('span', { class: `key c${i}` }, line.name, line.value);
      picture.append(line.area, line.path);
    });
    this.top = el('span', { class: 'scale' });
    this.node = el('div', { class: tiny ? 'graph tiny' : 'graph' }, el('header', {}, el('h3', {}, title), ...this.#lines.map(l => l.key)),
      el('div', { class: 'field-of-lines' }, picture, this.top));
  }

  /* One value for each line; null: not known, a gap. */
  add(at, values) {
    this.#lines.forEach((line, i) => {
      line.points.push([at, Number.isFinite(values[i]) ? values[i] : null]);
      while (line.points[0][0] < at - this.#span)
        line.points.shift();
      line.value.textContent = Number.isFinite(values[i]) ? this.#format(values[i]) : '–';
    });
    this.#draw(at);
  }

  #draw(now) {
    const most = nice(Math.max(this.#least, ...this.#lines.flatMap(l => l.points.map(p => p[1] ?? 0))));
    this.top.textContent = this.#format(most);
    for (const { points, path, area } of this.#lines) {
      let line = '', fill = '', start = null, x = 0;
      const close = () => { if (start !== null) fill += `L${x} ${HEIGHT}L${start} ${HEIGHT}Z`; start = null; };
      for (const [at, value] of points) {
        if (value === null) {
          close();
          continue;
        }
        x = (WIDTH * (1 - (now - at) / this.#span)).toFixed(1);
        const y = (HEIGHT * (1 - value / most)).toFixed(1);
        line += `${start === null ? 'M' : 'L'}${x} ${y}`;
        fill += `${start === null ? 'M' : 'L'}${x} ${y}`;
        start ??= x;
      }
      close();
      path.setAttribute('d', line);
      area.setAttribute('d', fill);
    }
  }
}

/* ---- how values are written ---- */

export const format = {
  count: v => v >= 10000 ? `${(v / 1000).toFixed(v >= 100000 ? 0 : 1)}k` : v >= 100 || Number.isInteger(v) ? v.toFixed(0) : v.toFixed(1),
  bits: v => v >= 999.5e6 ? `${(v / 1e9).toFixed(2)} Gbit/s` : v >= 999500 ? `${(v / 1e6).toFixed(1)} Mbit/s` : `${(v / 1e3).toFixed(0)} kbit/s`,
  percent: v => `${(v * 100).toFixed(v >= 0.1 ? 0 : 1)} %`,
  seconds: v => v === 0 ? '0 ms' : v >= 1 ? `${v.toFixed(1)} s` : v >= 0.001 ? `${(v * 1000).toFixed(v >= 0.01 ? 0 : 1)} ms` : `${(v * 1e6).toFixed(0)} µs`,
  bytes: v => v >= 1 << 30 ? `${(v / (1 << 30)).toFixed(1)} GiB` : `${(v / (1 << 20)).toFixed(0)} MiB`,
};
