// The operators' page: the door, then what the other files show, each looked at again after a while of its own.

import { Refused, Server } from './api.js';
import { Log } from './log.js';
import { Overview } from './overview.js';
import { Sessions } from './sessions.js';

const $ = id => document.getElementById(id);
const sleep = ms => new Promise(done => setTimeout(done, ms));
const server = new Server();

let stay = null;                /* an object while the desk is open; closing it ends the loops */

function status(text, tone) {
  $('status').textContent = text;
  $('status').dataset.tone = tone;
}

/* True: yes. `only`: there is nothing to decide. */
function confirm(text, only = false) {
  $('ask-text').textContent = text;
  $('ask').querySelector('[value="no"]').hidden = only;
  $('ask-yes').textContent = only ? 'Close' : 'Yes';
  $('ask').returnValue = 'no';
  $('ask').showModal();
  return new Promise(done => $('ask').addEventListener('close', () => done($('ask').returnValue === 'yes'), { once: true }));
}

function leave(why = '') {
  stay = null;
  server.forget();
  $('desk').hidden = $('leave').hidden = true;
  $('door').hidden = false;
  $('refused').hidden = why === '';
  $('refused').textContent = why;
  status('', '');
  $('secret').focus();
}

/* Looks again and again, never twice at once, and not at all while nobody sees the page. */
async function keepLooking(mine, look, ms) {
  for (; stay === mine; await sleep(ms)) {
    if (document.hidden)
      continue;
    try {
      await look();
    } catch (error) {
      if (stay !== mine)
        return;
      if (error instanceof Refused) {
        leave(error.message);
        return;
      }
      status('The server does not answer', 'bad');
    }
  }
}

function open() {
  const mine = stay = {};
  $('door').hidden = true;
  $('desk').hidden = $('leave').hidden = false;
  const overview = new Overview(server), sessions = new Sessions(server, confirm), log = new Log(server);
  keepLooking(mine, async () => {
    const { version, commit, accepting, draining } = await overview.look();
    $('build').textContent = `${version} · ${commit}`;
    status(draining ? 'Draining' : accepting ? 'Taking sessions' : 'Refusing new sessions', draining || !accepting ? 'busy' : 'good');
  }, 1500);
  keepLooking(mine, () => overview.lookAtRooms(), 4000);
  keepLooking(mine, () => sessions.look(), 1000);
  keepLooking(mine, () => log.look(), 1500);
}

/* The secret is tried by the request that needs it least. */
async function tryIn() {
  try {
    await server.ask('get_status');
    $('refused').hidden = true;
    open();
  } catch (error) {
    if (error instanceof Refused)
      leave(server.hasSecret ? error.message : '');
    else
      leave('The server does not answer.');
  }
}

$('enter').addEventListener('submit', event => {
  event.preventDefault();
  server.keep($('secret').value);
  $('secret').value = '';
  tryIn();
});
$('leave').addEventListener('click', () => location.reload());
$('leave').addEventListener('click', () => server.forget(), { capture: true });

tryIn();
