// One participant on the screen: picture, name, mute signs, numbers.

const ICON = {
  mic: '<svg aria-hidden="true"><use href="#icon-mic-off"/></svg><span class="unseen">muted</span>',
};

export class Tile {
  #stream = new MediaStream();
  #numbers;

  constructor({ name, own = false, blocked = () => {} }) {
    this.element = document.createElement('figure');
    this.element.className = `tile dark${own ? ' own' : ''}`;
    this.element.style.setProperty('--hue', hueOf(name));
    this.element.innerHTML = `
      <div class="face" aria-hidden="true"></div>
      <video playsinline autoplay></video>
      <dl class="numbers" hidden></dl>
      <figcaption><span class="mutes" hidden>${ICON.mic}</span><span class="name"></span></figcaption>`;
    this.video = this.element.querySelector('video');
    this.video.muted = own;
    this.#numbers = this.element.querySelector('.numbers');
    this.own = own;
    this.blocked = blocked;
    this.cameraOff = false;
    this.rename(name);
    this.video.addEventListener('resize', () => this.#shade());
  }

  rename(name) {
    this.name = name;
    this.element.querySelector('.name').textContent = this.own ? `${name} (you)` : name;
    this.element.querySelector('.face').textContent = [...name.trim()][0]?.toUpperCase() ?? '?';
    this.video.setAttribute('aria-label', this.own ? 'Your own picture' : `Picture of ${name}`);
  }

  /* `tracks` is everything this tile shows from now on. */
  show(tracks) {
    const old = this.#stream.getTracks();
    for (const track of old.filter(t => !tracks.includes(t)))
      this.#stream.removeTrack(track);
    for (const track of tracks.filter(t => !old.includes(t)))
      this.#stream.addTrack(track);
    /* An element that waits for the first track of an empty stream holds back the page's load event. */
    const source = tracks.length > 0 ? this.#stream : null;
    if (this.video.srcObject !== source)
      this.video.srcObject = source;
    this.#shade();
    if (source)
      this.play();
  }

  /* Browsers refuse sound on a page that nobody has touched: play on without it, and say so. */
  async play() {
    try {
      await this.video.play();
    } catch (error) {
      if (error.name !== 'NotAllowedError')
        return;                          /* superseded by newer tracks */
      this.video.muted = true;
      this.blocked();
      this.video.play().catch(() => {});
    }
  }

  unblock() {
    this.video.muted = this.own;
    this.play();
  }

  mutes({ audio, video }) {
    this.cameraOff = video === true;
    this.element.querySelector('.mutes').hidden = audio !== true;
    this.#shade();
  }

  #shade() {
    const picture = this.#stream.getVideoTracks().some(t => t.readyState === 'live') && this.video.videoWidth > 0;
    this.element.classList.toggle('dark', this.cameraOff || !picture);
  }

  speaking(yes) {
    this.element.classList.toggle('speaking', yes);
  }

  /* rows: see stats.js; null hides them. */
  numbers(rows) {
    this.#numbers.hidden = rows === null || rows.length === 0;
    if (this.#numbers.hidden)
      return;
    this.#numbers.replaceChildren(...rows.flatMap(([label, text, bad]) => {
      const dt = document.createElement('dt');
      const dd = document.createElement('dd');
      dt.textContent = label;
      dd.textContent = text;
      dd.classList.toggle('bad', Boolean(bad));
      return [dt, dd];
    }));
  }

  remove() {
    this.video.srcObject = null;
    this.element.remove();
  }
}

function hueOf(name) {
  let hash = 0;
  for (const c of name)
    hash = (hash * 31 + c.codePointAt(0)) % 360;
  return hash;
}

/* The number of columns that gives the biggest tiles in a box of this size. */
export function arrange(container, count) {
  const style = getComputedStyle(container);
  const gap = parseFloat(style.columnGap) || 0;
  const width = container.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const height = container.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
  const narrowest = width > height ? 4 / 3 : 3 / 4;
  let best = { area: 0, columns: 1, w: width, h: height };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    const shape = Math.min(Math.max(cellWidth / cellHeight, narrowest), 16 / 9);
    const w = Math.min(cellWidth, cellHeight * shape);
    const h = Math.min(cellHeight, w / shape);
    if (w * h > best.area)
      best = { area: w * h, columns, w, h };
  }
  const many = best.h < 110;             /* too small to see: scroll instead */
  if (many) {
    best.columns = width > 900 ? 4 : 2;
    best.w = (width - gap * (best.columns - 1)) / best.columns;
    best.h = best.w * 0.75;
  }
  container.classList.toggle('many', many);
  container.style.setProperty('--columns', best.columns);
  container.style.setProperty('--tile-width', `${Math.floor(best.w)}px`);
  container.style.setProperty('--tile-height', `${Math.floor(best.h)}px`);
}
