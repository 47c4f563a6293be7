// The page of the echo test.
//
// Address parameters: codec, simulcast=1, bitrate=BPS, audio=0, video=0, server=ws://SAMEHOST:PORT/, and autostart=1
// (on this machine only: elsewhere a link must not start a camera).

import { acceptAnswer, attach, createOffer, endSession, openSession, send, serverUrl } from './client.js';
import { capture, release } from './media.js';
import { Sampler, rows } from './stats.js';
import { Tile } from './tile.js';

const params = new URLSearchParams(location.search);
const $ = id => document.getElementById(id);

const state = {
  phase: 'idle',                         /* idle, starting, running */
  error: '',
  session: null,
  handle: null,
  tracks: [],
  sampler: null,
  numbers: { own: null, back: null },
  layer: { substream: null, temporal: null },
  layerEvents: [],
  restarts: 0,
  isUp: false,
};

const own = new Tile({ name: 'What you send', own: false });
const back = new Tile({ name: 'What comes back', blocked: () => note('the browser holds the sound back until you touch the page') });
own.video.muted = true;
own.own = true;
own.video.style.transform = back.video.style.transform = 'scaleX(-1)';
$('pair').append(own.element, back.element);

function status(text, tone = '') {
  $('status').textContent = text;
  $('status').dataset.tone = tone;
}

function note(text) {
  const item = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString();
  item.append(time, text);
  $('journal').prepend(item);
  while ($('journal').children.length > 100)
    $('journal').lastChild.remove();
}

function complain(text) {
  state.error = text;
  $('complaint').textContent = text;
  $('complaint').hidden = text === '';
}

function setPhase(phase) {
  state.phase = phase;
  $('start').disabled = phase !== 'idle';
  $('stop').disabled = phase === 'idle';
  for (const id of ['restart', 'audio', 'video'])
    $(id).disabled = phase !== 'running';
  for (const id of ['codec', 'simulcast'])
    $(id).disabled = phase !== 'idle';
  const simulcast = phase === 'running' && $('simulcast').value === '1';
  $('substreams').hidden = $('temporals').hidden = !simulcast;
}

/* ---- start, stop, restart ---- */

async function start() {
  complain('');
  setPhase('starting');
  status('Starting…', 'busy');
  const { tracks, note: why } = await capture({ audio: params.get('audio') !== '0', video: params.get('video') !== '0' });
  if (tracks.length === 0)
    return stop(why.replace(' You can watch.', ''));
  state.tracks = tracks;
  own.show(tracks.filter(t => t.kind === 'video'));
  try {
    state.session = await openSession(serverUrl(params), reason => stop(reason));
    state.handle = await attach(state.session, 'janus.plugin.echotest', {
      onmessage,
      onremotetrack: collectTracks,
      webrtcState: (up, reason) => onState(up, reason),
      iceState: s => note(`ICE: ${s}`),
      mediaState: (kind, receiving, mid) => note(`the server ${receiving ? 'receives' : 'no longer receives'} ${kind} (mid ${mid})`),
      slowLink: (uplink, lost) => note(`packets are lost ${uplink ? 'on the way back' : 'on the way to the server'}: ${lost}`),
    });
    state.sampler = new Sampler();
    await offer({
      tracks: tracks.map(track => ({
        type: track.kind, capture: track, recv: true, dontStop: true, ...(track.kind === 'video' && $('simulcast').value === '1' && { simulcast: true }),
      })),
    });
  } catch (error) {
    stop(error.message);
  }
}

function settings() {
  return {
    audio: $('audio').getAttribute('aria-pressed') === 'true',
    video: $('video').getAttribute('aria-pressed') === 'true',
    bitrate: Number($('bitrate').value),
    ...($('codec').value && { videocodec: $('codec').value }),
  };
}

async function offer(options) {
  const jsep = await createOffer(state.handle, options);
  await send(state.handle, settings(), jsep);
}

async function restart() {
  note('ICE restart asked for');
  try {
    await offer({ iceRestart: true });
    state.restarts++;
  } catch (error) {
    complain(error.message);
  }
}

function onState(up, reason) {
  state.isUp = up;
  if (up) {
    setPhase('running');
    status('Connected', 'good');
    note('the path is up');
  } else if (state.phase !== 'idle') {
    stop(`The connection has ended${reason ? ` (${reason})` : ''}.`);
  }
}

async function stop(complaint = '') {
  const { session } = state;
  Object.assign(state, { session: null, handle: null, isUp: false, layer: { substream: null, temporal: null } });
  setPhase('idle');
  status('');
  complain(complaint);
  for (const tile of [own, back]) {
    tile.show([]);
    tile.numbers(null);
  }
  release(state.tracks);
  state.tracks = [];
  state.numbers = { own: null, back: null };
  for (const id of ['audio', 'video'])
    $(id).setAttribute('aria-pressed', 'true');
  if (session)
    await endSession(session);
}

/* ---- what the server says ---- */

function onmessage(message, jsep) {
  if (jsep)
    acceptAnswer(state.handle, jsep).then(collectTracks, error => complain(error.message));
  if (message.error !== undefined)
    return complain(message.error);
  if (message.result === 'done')
    return state.phase !== 'idle' && stop('The server has ended the test.');
  for (const kind of ['substream', 'temporal'])
    if (message[kind] !== undefined) {
      state.layer[kind] = message[kind];
      state.layerEvents.push({ kind, value: message[kind] });
      note(`the server now sends back ${kind} ${message[kind]}`);
    }
  showLayers();
  if (message.event === 'slow_link')
    note(`slow link, ${message.media ?? 'media'}${message['current-bitrate'] ? `, at ${message['current-bitrate']} b/s` : ''}`);
}

function showLayers() {
  for (const [group, kind] of [['substreams', 'substream'], ['temporals', 'temporal']])
    for (const button of $(group).querySelectorAll('button'))
      button.setAttribute('aria-pressed', Number(button.dataset.layer) === state.layer[kind]);
}

function collectTracks() {
  const pc = state.handle?.webrtcStuff?.pc;
  if (pc)
    back.show(pc.getTransceivers().filter(t => /recv/.test(t.currentDirection ?? '')).map(t => t.receiver.track));
}

function ask(body) {
  if (state.handle)
    send(state.handle, body).catch(error => complain(error.message));
}

/* ---- numbers ---- */

setInterval(async () => {
  const pc = state.handle?.webrtcStuff?.pc;
  if (!pc || !state.sampler)
    return;
  let sample;
  try {
    sample = await state.sampler.sample(pc);
  } catch {
    return;                              /* closed just now */
  }
  const received = [...sample.receive.values()];
  state.numbers = {
    own: sample.send,
    back: { audio: received.find(r => r.kind === 'audio'), video: received.find(r => r.kind === 'video') },
  };
  own.numbers(rows(sample.send.video, sample.send.audio));
  back.numbers(rows(state.numbers.back.video, state.numbers.back.audio));
}, 1000);

/* ---- wiring ---- */

$('start').addEventListener('click', start);
$('stop').addEventListener('click', () => stop());
$('restart').addEventListener('click', restart);
$('bitrate').addEventListener('change', () => ask({ bitrate: Number($('bitrate').value) }));
for (const kind of ['audio', 'video'])
  $(kind).addEventListener('click', () => {
    const on = $(kind).getAttribute('aria-pressed') !== 'true';
    $(kind).setAttribute('aria-pressed', on);
    ask({ [kind]: on });
  });
for (const [group, kind] of [['substreams', 'substream'], ['temporals', 'temporal']])
  for (const button of $(group).querySelectorAll('button'))
    button.addEventListener('click', () => ask({ [kind]: Number(button.dataset.layer) }));

$('codec').value = params.get('codec') ?? '';
$('simulcast').value = params.get('simulcast') === '1' ? '1' : '0';
if (params.has('bitrate'))
  $('bitrate').value = params.get('bitrate');
setPhase('idle');
if (params.get('autostart') === '1' && ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname))
  start();

/* For tests, and for the curious in the console. */
window.cardea = {
  page: 'echotest',
  get phase() { return state.phase; },
  get handle() { return state.handle; },
  backVideo: back.video,
  ask,
  stop,
  restart,
  report() {
    const { phase, error, numbers, layer, layerEvents, restarts, isUp } = state;
    return { phase, error, isUp, numbers, layer, layerEvents, restarts, pc: state.handle?.webrtcStuff?.pc?.connectionState ?? null };
  },
};
