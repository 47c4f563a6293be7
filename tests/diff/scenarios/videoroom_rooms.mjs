// VideoRoom's rooms: create, edit, destroy, exists, list, allowed; secrets and admin_key (videoroom.md 2, 3, 5).

const CREATES = [
  {}, { room: 0 }, { description: '' }, { description: 'Ähm \u0001"\\/' }, { is_private: true }, { secret: '' }, { pin: '' }, { secret: 's', pin: 'p' }, { require_pvtid: true }, { signed_tokens: true },
  { bitrate: 1 }, { bitrate: 63999 }, { bitrate: 64000 }, { bitrate: 0 }, { bitrate: 4294967295 }, { bitrate_cap: true }, { bitrate: 200000, bitrate_cap: true }, { fir_freq: 10 }, { fir_freq: 65535 }, { fir_freq: 65536 }, { fir_freq: 100000 },
  { publishers: 0 }, { publishers: 1 }, { publishers: 2147483647 }, { publishers: 4294967295 }, { publishers: 4294967296 },
  { audiocodec: 'opus,pcmu' }, { audiocodec: '' }, { audiocodec: 'OPUS' }, { audiocodec: 'opus,' }, { audiocodec: ',opus' }, { audiocodec: 'opus,,pcma' }, { audiocodec: 'mp3' }, { audiocodec: 'opus,opus' },
  { audiocodec: 'opus, pcmu' }, { audiocodec: 'isac32,isac16,pcmu,pcma,g722' }, { audiocodec: 'opus,isac32,isac16,pcmu,pcma,g722' }, { audiocodec: 'opus,isac32,isac16,pcmu,pcma,mp3' }, { audiocodec: 'multiopus' },
  { audiocodec: 'l16' }, { audiocodec: 'l16-48' },
  { videocodec: 'vp8,vp9' }, { videocodec: '' }, { videocodec: 'VP8' }, { videocodec: 'vp8,' }, { videocodec: 'theora' }, { videocodec: 'av1,h265,h264,vp9,vp8' }, { videocodec: 'vp8,vp8,vp8,vp8,vp8,vp8' },
  { vp9_profile: '2' }, { videocodec: 'vp9', vp9_profile: '2' }, { videocodec: 'vp9', vp9_profile: 'nonsense' }, { h264_profile: '42e01f' }, { videocodec: 'h264', h264_profile: '42e01f' },
  { opus_fec: false }, { opus_fec: true, audiocodec: 'pcmu' }, { opus_dtx: true }, { opus_dtx: true, audiocodec: 'pcmu' },
  { audiolevel_ext: false }, { audiolevel_event: true }, { audiolevel_event: true, audio_active_packets: 0 }, { audiolevel_event: true, audio_active_packets: 50, audio_level_average: 30 }, { audio_active_packets: 50 },
  { audiolevel_event: true, audio_level_average: 0 }, { audiolevel_event: true, audiolevel_ext: false }, { videoorient_ext: false, playoutdelay_ext: false, transport_wide_cc_ext: false },
  { record: false, rec_dir: '/tmp/nothing' }, { rec_dir: '' }, { lock_record: true }, { lock_record: true, secret: 's' }, { notify_joining: true }, { require_e2ee: true }, { threads: 0 },
  { allowed: [] }, { allowed: ['a', 'b', 'a'] }, { allowed: [5] }, { allowed: ['a', null] }, { permanent: false }, { admin_key: 'x' },
];

export default [
  ...[CREATES.slice(0, 30), CREATES.slice(30, 60), CREATES.slice(60)].map((creates, part) => ({
    name: `create with every option, and how it is listed (${part + 1})`,
    steps: async t => {
      const a = await t.attach('a');
      let room = 100 + 100 * part;
      for (const body of creates) {
        room++;
        const { room: made = room } = await a.ask({ request: 'create', room, ...body }, undefined, `create ${JSON.stringify(body)}`);
        await a.ask({ request: 'exists', room: made });
        await a.ask({ request: 'list' }, undefined, `list after ${JSON.stringify(body)}`);
        await a.ask({ request: 'destroy', room: made, secret: body.secret }, undefined, `destroy after ${JSON.stringify(body)}`);
      }
    },
  })),
  {
    name: 'create twice, without an id, with a huge one',
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'create', room: 11 });
      await a.ask({ request: 'create', room: 11 });
      await a.ask({ request: 'CREATE', room: 11 });
      await a.ask({ request: 'create' });
      await a.ask({ request: 'create', room: '@9007199254740991' });
      await a.ask({ request: 'exists', room: '@9007199254740991' });
      await a.ask({ request: 'destroy', room: '@9007199254740991' });
      for (const room of [-1, 1.5, '12', null, true, [], {}, '@9223372036854775808'])
        await a.ask({ request: 'create', room }, undefined, `create ${JSON.stringify(room)}`);
    },
  },
  {
    name: 'destroy, exists and list',
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'exists', room: 21 });
      await a.ask({ request: 'destroy', room: 21 });
      await a.ask({ request: 'create', room: 21, is_private: true });
      await a.ask({ request: 'create', room: 22, description: 'seen' });
      await a.ask({ request: 'list' });
      await a.ask({ request: 'list', admin_key: 'x' });
      await a.ask({ request: 'list', admin_key: 5 });
      await a.ask({ request: 'exists', room: 21 });
      await a.ask({ request: 'listparticipants', room: 21 });
      await a.ask({ request: 'destroy', room: 21 });
      await a.ask({ request: 'destroy', room: 21 });
      await a.ask({ request: 'listparticipants', room: 21 });
      await a.ask({ request: 'destroy' });
    },
  },
  {
    name: 'edit: each option, and what it does not take',
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'create', room: 31, description: 'old', bitrate: 100000 });
      for (const body of [{}, { new_description: 'new' }, { new_description: '' }, { new_is_private: true }, { new_is_private: false }, { new_require_pvtid: true }, { new_bitrate: 1 }, { new_bitrate: 128000 }, { new_bitrate: 0 },
        { new_fir_freq: 5 }, { new_fir_freq: 70000 }, { new_publishers: 0 }, { new_publishers: 7 }, { new_lock_record: true }, { new_rec_dir: '/tmp/x' }, { new_rec_dir: '' }, { permanent: false },
        { new_pin: '' }, { new_secret: '' }, { description: 'no' }, { new_videocodec: 'vp9' }]) {
        await a.ask({ request: 'edit', room: 31, ...body }, undefined, `edit ${JSON.stringify(body)}`);
        await a.ask({ request: 'list' }, undefined, `list after ${JSON.stringify(body)}`);
      }
      await a.ask({ request: 'edit', room: 32 });
      await a.ask({ request: 'edit', room: 31, new_secret: 's', new_pin: 'p' });
      await a.ask({ request: 'edit', room: 31 });
      await a.ask({ request: 'edit', room: 31, secret: 'x' });
      await a.ask({ request: 'edit', room: 31, secret: 5 });
      await a.ask({ request: 'edit', room: 31, secret: 's', new_secret: 'other' });
      await a.ask({ request: 'edit', room: 31, secret: 's' });
      await a.ask({ request: 'list' });
      await a.ask({ request: 'destroy', room: 31, secret: 'other' });
    },
  },
  {
    name: 'a secret: missing, wrong, right, for all that it guards',
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'create', room: 41, secret: 's' });
      const guarded = [{ request: 'edit' }, { request: 'allowed', action: 'disable' }, { request: 'kick', id: 5 }, { request: 'moderate', id: 5, mid: '0', mute: true }, { request: 'listparticipants' }, { request: 'destroy' }];
      for (const secret of [undefined, 'x', '', 5, null, 'S', 's ', 's'])
        for (const body of guarded)
          await a.ask({ ...body, room: 41, secret }, undefined, `${body.request} with ${JSON.stringify(secret)}`);
    },
  },
  {
    name: 'allowed: every action',
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'create', room: 51 });
      for (const body of [{ action: 'enable' }, { action: 'add', allowed: ['a', 'b'] }, { action: 'add', allowed: ['a', 'c'] }, { action: 'remove', allowed: ['b', 'z'] }, { action: 'disable' }, { action: 'ENABLE' }, { action: 'add' },
        { action: 'remove' }, { action: 'add', allowed: [] }, { action: 'add', allowed: [5] }, { action: 'add', allowed: ['d', 5] }, { action: 'remove', allowed: [null] }, { action: 'nothing' }, { action: '' }, {}, { action: 5 },
        { action: 'add', allowed: 'a' }, { action: 'enable', allowed: [5] }, { action: 'add', allowed: [''] }])
        await a.ask({ request: 'allowed', room: 51, ...body }, undefined, `allowed ${JSON.stringify(body)}`);
      await a.ask({ request: 'allowed', room: 52, action: 'enable' });
      await a.ask({ request: 'allowed', room: 52, action: 'nothing' });
      await a.ask({ request: 'allowed', action: 'enable' });
    },
  },
  {
    name: 'admin_key for create and list',
    server: { videoroom: { admin_key: 'key' } },
    steps: async t => {
      const a = await t.attach('a');
      for (const admin_key of [undefined, 'x', '', 5, null, 'KEY', 'key'])
        await a.ask({ request: 'create', room: 61, is_private: true, admin_key }, undefined, `create with ${JSON.stringify(admin_key)}`);
      for (const admin_key of [undefined, 'x', '', 5, null, 'key'])
        await a.ask({ request: 'list', admin_key }, undefined, `list with ${JSON.stringify(admin_key)}`);
      await a.ask({ request: 'destroy', room: 61 });
    },
  },
  {
    name: 'permanent, without a file to write',
    server: { files: { 'janus.plugin.videoroom.jcfg': null } },
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'list' });
      await a.ask({ request: 'create', room: 71, permanent: true });
      await a.ask({ request: 'create', room: 71 });
      await a.ask({ request: 'edit', room: 71, permanent: true });
      await a.ask({ request: 'destroy', room: 71, permanent: true });
      await a.ask({ request: 'exists', room: 71 });
    },
  },
  {
    name: 'rooms of the file',
    server: {
      rooms: {
        'room-1': { description: 'one' }, 'room-2': { description: '', publishers: -1 }, 'room-3': { secret: 's', pin: 'p', is_private: true }, 'room-4': { audiocodec: 'opus,mp3,pcmu', videocodec: 'vp8,theora' },
        'room-x': { description: 'no' }, 'room-0': {}, 'room-007': {}, 'room-5': { bitrate: 1, fir_freq: 10, bitrate_cap: 'yes', opus_fec: 'no', opus_dtx: true, audiolevel_event: true, audio_active_packets: 0 },
        'room-6': { record: false, rec_dir: '/tmp/nothing', lock_record: true, secret: 's', notify_joining: true, require_pvtid: true, require_e2ee: true, threads: 2 },
        'room-9': { secret: '', pin: '', rec_dir: '', audiocodec: 'opus, pcmu' },
        'room-8': { videocodec: 'vp9,h264', vp9_profile: '2', h264_profile: '42e01f', transport_wide_cc_ext: false, audiolevel_ext: false, videoorient_ext: false, playoutdelay_ext: false },
      },
    },
    steps: async t => {
      const a = await t.attach('a');
      await a.ask({ request: 'list' });
      for (const room of [1, 2, 3, 4, 5, 6, 7, 8, 9])
        await a.ask({ request: 'exists', room }, undefined, `exists ${room}`);
      await a.ask({ request: 'edit', room: 9 }, undefined, 'edit with an empty secret');
      await a.ask({ request: 'join', room: 9, ptype: 'publisher' }, undefined, 'join with an empty pin');
    },
  },
  {
    name: 'verbs that are none, of every kind and case',
    steps: async t => {
      const a = await t.attach('a');
      for (const request of ['nothing', '', ' list', 'LIST', 'List', 5, null, true, [], {}, undefined])
        await a.ask({ request }, undefined, `request ${JSON.stringify(request)}`);
      await a.ask([]);
    },
  },
];
