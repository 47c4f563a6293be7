// Files from one to another through the text room: offered to all who are there, sent in pieces to each who asks.
//
//   offer {id, name, size} ->   <- get {id}   piece {id, n, data} ->   <- got {id, n}   either way: stop {id, why}
//
// Pieces go as base64 in texts (under 64 KiB each, which every TextRoom relays). WINDOW of them are on their way at most: who
// receives says how far it is, so a slow receiver slows its sender down and loses nothing.

const PIECE = 45000;                     /* bytes: 60,000 as base64 */
const WINDOW = 12;
const SIZE_MAX = 500 * 1024 * 1024;      /* kept in memory by who receives */

const toBase64 = bytes => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};
const fromBase64 = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

export class Files {
  /* listener: offered(file), changed(file), sending(upload), where file is {id, from, name, size, received, state, blob, url} and upload is
   * {file, to, sent, state}; states: offered, running, done, failed. */
  constructor(chat, listener) {
    this.chat = chat;
    this.listener = listener;
    this.offers = new Map();             /* id -> File of ours */
    this.files = new Map();              /* id -> what others offer us */
    this.uploads = new Map();            /* `id to` -> upload */
  }

  async offer(file) {
    const id = crypto.randomUUID?.() ?? `f${Date.now()}${Math.random()}`;
    this.offers.set(id, file);
    return { id, reached: await this.chat.tell([...this.chat.people.keys()], { t: 'offer', id, name: file.name, size: file.size }) };
  }

  get(id) {
    const file = this.files.get(id);
    if (!file || file.state === 'running' || file.state === 'done')
      return;
    Object.assign(file, { state: 'running', received: 0, parts: [], next: 0 });
    this.listener.changed(file);
    this.#tell(file.from, { t: 'get', id });
  }

  heard(from, message) {
    const { t, id } = message;
    if (t === 'offer')
      this.#offered(from, message);
    else if (t === 'get' && this.offers.has(id))
      this.#upload(from, id);
    else if (t === 'piece')
      this.#piece(from, message);
    else if (t === 'got')
      this.uploads.get(`${id} ${from}`)?.got(message.n);
    else if (t === 'stop')
      this.#stopped(from, id);
  }

  /* Somebody has left: what was on its way from or to them has failed. */
  gone(isHere) {
    for (const file of this.files.values())
      if (!isHere(file.from) && file.state !== 'done' && file.state !== 'failed')
        this.#fail(file);
    for (const upload of this.uploads.values())
      if (!isHere(upload.to))
        upload.stop();
  }

  #tell(to, message) {
    return this.chat.tell([to], message).then(reached => reached.length > 0, () => false);
  }

  /* ---- receiving ---- */

  #offered(from, { id, name, size }) {
    if (typeof id !== 'string' || this.files.has(id) || !Number.isSafeInteger(size) || size < 0 || size > SIZE_MAX)
      return;
    const file = { id, from, name: String(name).slice(0, 200), size, received: 0, state: 'offered', url: null };
    this.files.set(id, file);
    this.listener.offered(file);
  }

  #piece(from, { id, n, data }) {
    const file = this.files.get(id);
    if (!file || file.from !== from || file.state !== 'running')
      return;
    const bytes = n === file.next ? fromBase64(data) : null;
    if (!bytes || file.received + bytes.length > file.size) {
      this.#tell(from, { t: 'stop', id });
      return this.#fail(file);
    }
    file.parts.push(bytes);
    file.next++;
    file.received += bytes.length;
    if (file.next % 4 === 0 || file.received === file.size)
      this.#tell(from, { t: 'got', id, n: file.next });
    if (file.received === file.size) {
      file.blob = new Blob(file.parts);
      file.url = URL.createObjectURL(file.blob);
      file.parts = [];
      file.state = 'done';
    }
    this.listener.changed(file);
  }

  #fail(file) {
    file.parts = [];
    file.state = 'failed';
    this.listener.changed(file);
  }

  #stopped(from, id) {
    const file = this.files.get(id);
    if (file?.from === from && file.state === 'running')
      this.#fail(file);
    this.uploads.get(`${id} ${from}`)?.stop();
  }

  /* ---- sending ---- */

  async #upload(to, id) {
    const key = `${id} ${to}`, file = this.offers.get(id);
    if (this.uploads.get(key)?.state === 'running')
      return;
    let wake = () => {};
    let taken = 0;                       /* pieces that the receiver has */
    const upload = {
      id, file, to, sent: 0, state: 'running',
      got: n => { taken = Math.max(taken, n); upload.sent = Math.min(file.size, taken * PIECE); wake(); this.listener.sending(upload); },
      stop: () => { if (upload.state === 'running') upload.state = 'failed'; wake(); this.listener.sending(upload); },
    };
    this.uploads.set(key, upload);
    this.listener.sending(upload);
    const pieces = Math.max(1, Math.ceil(file.size / PIECE));
    for (let n = 0; n < pieces && upload.state === 'running'; n++) {
      while (n - taken >= WINDOW && upload.state === 'running')
        await new Promise(done => { wake = done; });
      const data = toBase64(new Uint8Array(await file.slice(n * PIECE, (n + 1) * PIECE).arrayBuffer()));
      if (upload.state === 'running' && !await this.#tell(to, { t: 'piece', id, n, data }))
        upload.stop();
    }
    while (taken < pieces && upload.state === 'running')
      await new Promise(done => { wake = done; });
    if (upload.state === 'running')
      upload.state = 'done';
    this.listener.sending(upload);
  }

  close() {
    for (const file of this.files.values())
      if (file.url)
        URL.revokeObjectURL(file.url);
    for (const upload of this.uploads.values())
      upload.stop();
  }
}
