// The log's last lines, as the server keeps them: what has come since the last look is asked for.

import { el } from './graph.js';

const KEPT = 2000;

export class Log {
  #server;
  #last = 0;
  #list = document.getElementById('log');
  #level = document.getElementById('level');
  #text = document.getElementById('grep');
  #follow = document.getElementById('follow');

  constructor(server) {
    this.#server = server;
    const again = () => { for (const node of this.#list.children) this.#sift(node); this.#scroll(); };
    this.#level.addEventListener('change', again);
    this.#text.addEventListener('input', again);
    this.#follow.addEventListener('change', () => this.#scroll());
  }

  #sift(node) {
    node.hidden = Number(node.dataset.level) > Number(this.#level.value) || !node.textContent.toLowerCase().includes(this.#text.value.toLowerCase());
  }

  #scroll() {
    if (this.#follow.checked)
      this.#list.scrollTop = this.#list.scrollHeight;
  }

  async look() {
    const { last, lines } = await this.#server.log(this.#last);
    if (last < this.#last)
      this.#list.replaceChildren();           /* another process: it counts anew */
    this.#last = last;
    for (const line of lines) {
      const node = el('li', { title: line.where }, el('time', {}, new Date(line.time).toLocaleTimeString()), line.text);
      node.dataset.level = line.level;
      this.#sift(node);
      this.#list.append(node);
    }
    while (this.#list.children.length > KEPT)
      this.#list.firstChild.remove();
    if (lines.length > 0)
      this.#scroll();
  }
}
