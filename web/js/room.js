// The page of a video room: a lobby, then tiles and a bar. All that talks to the server is in room_call.js.
//
// Address parameters: room, name, pin, codec (vp8, h264, vp9, av1), simulcast=1, stats=1, audio=0, video=0,
// viewer=1, chat=1 (shown from the start), server=ws://SAMEHOST:PORT/, and autojoin=1 (on this machine only: elsewhere a link must not start a camera).

import { ChatPanel } from './chat_panel.js';
import { serverUrl } from './client.js';
import { capture, release } from './media.js';
import { RoomCall } from './room_call.js';
import { Sampler, rows } from './stats.js';
import { Tile, arrange } from './tile.js';

const params = new URLSearchParams(location.search);
const $ = id => document.getElementById(id);
const BACKOFF_MS = [1000, 2000, 4000, 8000];
const OWN = 'own';

const state = {
  phase: 'lobby',                        /* lobby, joining, joined, reconnecting */
  call: null,
  chat: null,
  tracks: [],
  tiles: new Map(),
  showStats: params.get('stats') === '1',
  showChat: params.get('chat') === '1',
  samplers: { publisher: null, subscriber: null },
  numbers: new Map(),                    /* id -> {audio, video} */
  attempt: 0,
  error: '',
  wantsViewer: false,
};

/* ---- saying things ---- */

function status(text, tone = '') {
  $('status').textContent = text;
  $('status').dataset.tone = tone;
}

let toastTimer = 0;
function toast(text, action) {
  clearTimeout(toastTimer);
  $('toast-text').textContent = text;
  $('toast').hidden = false;
  $('toast-action').hidden = !action;
  if (action) {
    $('toast-action').textContent = action.label;
    $('toast-action').onclick = () => { $('toast').hidden = true; action.run(); };
  } else {
    toastTimer = setTimeout(() => { $('toast').hidden = true; }, 6000);
  }
}

function complain(text) {
  state.error = text;
  $('complaint').textContent = text;
  $('complaint').hidden = text === '';
}

/* ---- tiles ---- */

function tileFor(id, name) {
  let tile = state.tiles.get(id);
  if (!tile) {
    tile = new Tile({ name, own: id === OWN, blocked: askForSound });
    state.tiles.set(id, tile);
    $('tiles').append(tile.element);
    layout();
  }
  return tile;
}

function removeTile(id) {
  state.tiles.get(id)?.remove();
  state.tiles.delete(id);
  state.numbers.delete(id);
  layout();
}

function layout() {
  const count = state.tiles.size;
  $('empty').hidden = count > 0;
  if (count > 0)
    arrange($('tiles'), count);
}

function askForSound() {
  toast('The browser holds the sound back until you touch the page.', {
    label: 'Play sound',
    run: () => { for (const tile of state.tiles.values()) tile.unblock(); },
  });
}

function showPeople() {
  const { call } = state;
  for (const [id, person] of call.people) {
    if (person.streams.length === 0) {
      removeTile(id);
      continue;
    }
    const tile = tileFor(id, person.name);
    if (tile.name !== person.name)
      tile.rename(person.name);
    tile.mutes(person.muted);
  }
  for (const id of [...state.tiles.keys()])
    if (id !== OWN && !call.people.has(id))
      removeTile(id);
  const watching = [...call.people.values()].filter(p => p.streams.length === 0).length;
  const here = call.people.size + 1;
  status(`${here} ${here === 1 ? 'person' : 'people'}${watching > 0 ? `, ${watching} watching` : ''}`, 'good');
  $('empty').textContent = call.people.size === 0 ? 'Nobody else is here yet. Send somebody this page’s address.' : 'Nobody here sends a picture yet.';
}

function showTracks(id) {
  const person = state.call.people.get(id);
  const tracks = state.call.remoteTracks.get(id);
  if (!person || !state.tiles.has(id))
    return;
  state.tiles.get(id).show([tracks?.audio, tracks?.video].filter(Boolean));
}

/* ---- the chat ---- */

function openChat() {
  const { room, name, pin } = state.call.options;
  state.chat = new ChatPanel({ room, name, pin });
  state.chat.open(state.call.session);
  state.chat.toggle(state.showChat);
}

function closeChat() {
  state.chat?.close();
  state.chat = null;
}

function toggleChat() {
  state.chat?.toggle();
  state.showChat = !$('chat').hidden;
}

/* ---- joining and leaving ---- */

function setPhase(phase) {
  state.phase = phase;
  const inCall = phase === 'joined' || phase === 'reconnecting';
  document.body.classList.toggle('in-call', inCall);
  $('lobby').hidden = inCall;
  $('stage').hidden = !inCall;
  for (const button of document.querySelectorAll('#lobby button'))
    button.disabled = phase === 'joining';
}

function remember(joined) {
  if (joined)
    sessionStorage.setItem('cardea.room', JSON.stringify({ room: roomNumber(), viewer: state.wantsViewer, muted: state.call.muted }));
  else
    sessionStorage.removeItem('cardea.room');
}

function roomNumber() {
  const text = $('room').value.trim();
  return /^\d+$/.test(text) ? Number(text) : text;
}

async function join(viewer, muted = { audio: false, video: false }) {
  const name = $('name').value.trim() || 'Guest';
  localStorage.setItem('cardea.name', name);
  state.wantsViewer = viewer;
  complain('');
  setPhase(state.phase === 'reconnecting' ? 'reconnecting' : 'joining');
  status('Joining…', 'busy');
  if (state.tracks.length === 0 && !viewer) {
    const { tracks, note } = await capture({ audio: params.get('audio') !== '0', video: params.get('video') !== '0' });
    state.tracks = tracks;
    if (note)
      toast(note);
  }
  const call = new RoomCall({
    server: serverUrl(params), room: roomNumber(), name, tracks: state.tracks, pin: $('pin').value,
    codec: $('codec').value, simulcast: $('simulcast').checked,
  }, {
    people: () => { if (call === state.call && state.phase === 'joined') showPeople(); },
    tracks: id => { if (call === state.call) showTracks(id); },
    ended: (reason, isFinal) => { if (call === state.call) ended(reason, isFinal); },
    warn: text => toast(text),
  });
  state.call = call;
  for (const kind of ['audio', 'video'])
    if (muted[kind])
      call.mute(kind, true);
  try {
    await call.join();
  } catch (error) {
    if (call !== state.call)
      return;
    await call.leave();
    if (state.phase === 'reconnecting')
      return comeBack(error.message);
    backToLobby(error.message);
    return;
  }
  if (call === state.call)
    joined();
}

function joined() {
  state.attempt = 0;
  state.samplers = { publisher: new Sampler(), subscriber: new Sampler() };
  setPhase('joined');
  $('title').textContent = state.call.description || `Room ${state.call.options.room}`;
  document.title = `${$('title').textContent} · Cardea`;
  if (state.tracks.length > 0) {
    const tile = tileFor(OWN, state.call.options.name);
    tile.show(state.tracks);
    tile.mutes(state.call.muted);
  }
  for (const kind of ['audio', 'video']) {
    $(`mute-${kind}`).hidden = !state.tracks.some(t => t.kind === kind);
    $(`mute-${kind}`).setAttribute('aria-pressed', state.call.muted[kind]);
  }
  remember(true);
  showPeople();
  openChat();
  for (const id of state.call.remoteTracks.keys())
    showTracks(id);
  layout();
}

function clearTiles() {
  for (const id of [...state.tiles.keys()])
    removeTile(id);
}

function backToLobby(complaint = '') {
  release(state.tracks);
  state.tracks = [];
  state.call = null;
  closeChat();
  remember(false);
  clearTiles();
  setPhase('lobby');
  status('');
  document.title = 'Video room · Cardea';
  complain(complaint);
}

async function leave() {
  const { call } = state;
  backToLobby();
  await call?.leave();
}

/* The connection went: the tiles go, camera and microphone stay, and the room is joined anew. */
function ended(reason, isFinal) {
  if (isFinal || state.phase !== 'joined')
    return backToLobby(reason);
  setPhase('reconnecting');
  comeBack(reason);
}

function comeBack(reason) {
  closeChat();
  for (const id of [...state.tiles.keys()])
    if (id !== OWN)
      removeTile(id);
  const wait = BACKOFF_MS[Math.min(state.attempt++, BACKOFF_MS.length - 1)];
  state.error = reason;
  status('Connection lost, trying again…', 'bad');
  const { muted } = state.call;
  setTimeout(() => { if (state.phase === 'reconnecting') join(state.wantsViewer, { ...muted }); }, wait);
}

/* ---- numbers and voices ---- */

async function sample() {
  const { call, samplers } = state;
  if (state.phase !== 'joined' || !call)
    return;
  const publisherPc = call.publisherPc;
  const subscriberPc = call.subscriberPc;
  try {
    if (publisherPc && state.tiles.has(OWN)) {
      const { send } = await samplers.publisher.sample(publisherPc);
      state.numbers.set(OWN, { audio: send.audio, video: send.video });
    }
    if (subscriberPc) {
      const { receive } = await samplers.subscriber.sample(subscriberPc);
      for (const [id, t] of call.remoteTracks)
        state.numbers.set(id, { audio: receive.get(t.audioMid), video: receive.get(t.videoMid) });
    }
  } catch {
    return;                              /* the PeerConnection has just been closed */
  }
  for (const [id, tile] of state.tiles) {
    const numbers = state.numbers.get(id);
    tile.numbers(state.showStats && numbers ? rows(numbers.video, numbers.audio) : null);
  }
}

function listen() {
  const { call } = state;
  if (state.phase !== 'joined' || !call)
    return;
  const receivers = new Map((call.subscriberPc?.getReceivers() ?? []).map(r => [r.track.id, r]));
  for (const [id, { audio }] of call.remoteTracks) {
    const level = audio && receivers.get(audio.id)?.getSynchronizationSources()[0]?.audioLevel;
    state.tiles.get(id)?.speaking((level ?? 0) > 0.02);
  }
}

function toggleStats(on) {
  state.showStats = on;
  $('stats').setAttribute('aria-pressed', on);
  sample();
}

/* ---- wiring ---- */

function toggleMute(kind) {
  const off = !state.call.muted[kind];
  state.call.mute(kind, off);
  $(`mute-${kind}`).setAttribute('aria-pressed', off);
  state.tiles.get(OWN)?.mutes(state.call.muted);
  remember(true);
}

$('form').addEventListener('submit', event => {
  event.preventDefault();
  join(event.submitter?.value === 'viewer');
});
$('mute-audio').addEventListener('click', () => toggleMute('audio'));
$('mute-video').addEventListener('click', () => toggleMute('video'));
$('stats').addEventListener('click', () => toggleStats(!state.showStats));
$('chat-toggle').addEventListener('click', toggleChat);
$('chat-close').addEventListener('click', toggleChat);
$('leave').addEventListener('click', leave);
new ResizeObserver(layout).observe($('tiles'));
setInterval(sample, 1000);
setInterval(listen, 200);

const before = JSON.parse(sessionStorage.getItem('cardea.room') ?? 'null');
$('name').value = params.get('name') ?? localStorage.getItem('cardea.name') ?? '';
$('room').value = params.get('room') ?? before?.room ?? '1234';
$('pin').value = params.get('pin') ?? '';
$('codec').value = params.get('codec') ?? '';
$('simulcast').checked = params.get('simulcast') === '1';
toggleStats(state.showStats);
setPhase('lobby');

const isThisMachine = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
if (before && String(before.room) === $('room').value)
  join(before.viewer, before.muted);     /* a reload comes back */
else if (params.get('autojoin') === '1' && isThisMachine)
  join(params.get('viewer') === '1');

/* For tests, and for the curious in the console. */
window.cardea = {
  page: 'room',
  get phase() { return state.phase; },
  get error() { return state.error; },
  get call() { return state.call; },
  get chat() { return state.chat; },
  leave,
  toggleMute,
  report() {
    const { call } = state;
    const tiles = [...state.tiles].map(([id, tile]) => ({
      id, name: tile.name, own: tile.own, dark: tile.element.classList.contains('dark'), ...state.numbers.get(id),
    }));
    return {
      phase: state.phase, error: state.error, id: call?.id ?? null, publishing: call?.isPublishing ?? false,
      publisher: call?.publisherPc?.connectionState ?? null, subscriber: call?.subscriberPc?.connectionState ?? null,
      people: call ? [...call.people.values()].map(p => ({ id: p.id, name: p.name, streams: p.streams.length, muted: p.muted })) : [],
      tiles, chat: state.chat?.report() ?? null,
    };
  },
};
