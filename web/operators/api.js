// The server, as this page sees it: the Admin API, the numbers, the log. The secret goes along as Admin API requests want it, and as a
// bearer token to what is no Admin API request; it is kept in this tab only.

const KEY = 'cardea.admin_secret';

export class Refused extends Error {}

export class Server {
  #secret = sessionStorage.getItem(KEY);
  #place = null;

  get hasSecret() { return this.#secret !== null; }

  keep(secret) {
    this.#secret = secret;
    sessionStorage.setItem(KEY, secret);
  }

  forget() {
    this.#secret = null;
    sessionStorage.removeItem(KEY);
  }

  async #get(path) {
    const headers = this.#secret ? { authorization: `Bearer ${this.#secret}` } : {};
    const answer = await fetch(path, { headers, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(8000) });
    if (answer.status === 401)
      throw new Refused('The secret is not the right one.');
    if (!answer.ok)
      throw new Error(`${path}: ${answer.status}`);
    return answer;
  }

  /* {admin: its path, secret: whether one is asked for}. */
  async place() {
    this.#place ??= await (await this.#get('/operators/place')).json();
    return this.#place;
  }

  async metrics() { return (await this.#get('/metrics')).text(); }

  async log(after) { return (await this.#get(`/operators/log?after=${after}`)).json(); }

  /* A request of the Admin API. Throws what it answers when that is an error. */
  async ask(janus, more = {}) {
    const { admin } = await this.place();
    const body = { janus, transaction: crypto.randomUUID(), ...more, ...(this.#secret && { admin_secret: this.#secret }) };
    const answer = await fetch(admin, { method: 'POST', body: bigJson.write(body), cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(8000) });
    const reply = bigJson.read(await answer.text());
    if (reply.error?.code === 403)
      throw new Refused('The secret is not the right one.');
    if (reply.janus === 'error')
      throw Object.assign(new Error(reply.error.reason), { code: reply.error.code });
    return reply;
  }
}

/* Ids have up to 53 bits as a rule, but room ids may have 64: a number that JavaScript can't hold stays a text, marked. */
const bigJson = {
  read: text => JSON.parse(text, (key, value, context) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source ? context.source : value),
  write: body => JSON.stringify(body),
};
