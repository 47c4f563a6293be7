// What every field of every request must be (janus-api.md 3, echotest.md 2.1, videoroom.md 5, 9, 10), and every way for it not
// to be so. A text '@123' in a message stands for the number 123 as it is written: JavaScript can't hold all of them.

export const NUMBERS_BEYOND = ['@9007199254740992', '@9007199254740993', '@9223372036854775807', '@-9223372036854775808', '@-9007199254740993', '@1e300', '@-1e300',
  '@9007199254740993.0', '@0.1', '@-0.0', '@4294967296', '@4294967295', '@2147483648', '@-2147483649', '@65536', '@-1'];

const OTHERS = { string: 'text', number: 5, real: 1.5, null: null, yes: true, no: false, array: [], list: [1, 'x', null], object: {}, deep: { a: { b: [{}] } }, negative: -1, zero: 0 };
const FITS = {
  string: ['string'],
  bool: ['yes', 'no'],
  int: ['number', 'negative', 'zero'],
  posint: ['number', 'zero'],
  array: ['array', 'list'],
  object: ['object', 'deep'],
};

/* Every value that is not of that type: [name, value]. */
export const wrongFor = type => Object.entries(OTHERS).filter(([name]) => !FITS[type].includes(name));
export const anything = () => [...Object.values(OTHERS), ...NUMBERS_BEYOND];

export const encode = message => JSON.stringify(message).replace(/"@(-?[\d.e+-]+)"/g, '$1');

const bools = names => Object.fromEntries(names.split(' ').map(name => [name, 'bool']));
const posints = names => Object.fromEntries(names.split(' ').map(name => [name, 'posint']));
const strings = names => Object.fromEntries(names.split(' ').map(name => [name, 'string']));

export const ECHO_FIELDS = { ...bools('audio video record svc opusred'), ...posints('bitrate substream temporal fallback spatial_layer temporal_layer'),
  ...strings('filename audiocodec videocodec videoprofile'), min_delay: 'int', max_delay: 'int' };

const CREATE = { ...strings('description secret pin audiocodec videocodec vp9_profile h264_profile rec_dir'), allowed: 'array', dummy_streams: 'array',
  ...bools('is_private require_pvtid signed_tokens bitrate_cap opus_fec opus_dtx audiolevel_ext audiolevel_event videoorient_ext playoutdelay_ext transport_wide_cc_ext record lock_record permanent ' +
    'notify_joining require_e2ee dummy_publisher dummy_e2ee'), ...posints('bitrate fir_freq publishers audio_active_packets audio_level_average threads room') };

const LAYERS = posints('substream temporal spatial_layer temporal_layer');
const ENTRY = { ...strings('mid crossrefid'), send: 'bool', ...LAYERS, min_delay: 'int', max_delay: 'int', feed: 'posint' };

/* role: the handle's. body: a request that gets as far as it can without the field. fields: their types; a wrong one is 430.
 * needs: missing ones are 429. ignored: whatever they are, the answer has no 430 that names them. in: fields of the (only) entry of
 * that array. */
export const ROOM_REQUESTS = [
  { role: 'none', body: { request: 'create' }, fields: CREATE, ignored: ['admin_key'] },
  { role: 'none', body: { request: 'edit', room: 77 }, fields: { room: 'posint', ...strings('new_description new_secret new_pin new_rec_dir'),
    ...bools('new_is_private new_require_pvtid new_lock_record permanent'), ...posints('new_bitrate new_fir_freq new_publishers') }, needs: ['room'], ignored: [] },
  { role: 'none', body: { request: 'destroy', room: 76 }, fields: { room: 'posint', permanent: 'bool' }, needs: ['room'] },
  { role: 'none', body: { request: 'exists', room: 77 }, fields: { room: 'posint' }, needs: ['room'] },
  { role: 'none', body: { request: 'list' }, fields: {}, ignored: ['admin_key', 'room', 'secret'] },
  { role: 'none', body: { request: 'listparticipants', room: 77 }, fields: { room: 'posint' }, needs: ['room'], ignored: ['secret'] },
  { role: 'none', body: { request: 'allowed', room: 77, action: 'disable' }, fields: { room: 'posint', action: 'string', allowed: 'array' }, needs: ['room', 'action'] },
  { role: 'none', body: { request: 'kick', room: 77, id: 5 }, fields: { id: 'posint' }, needs: ['id'], ignored: ['mid'] },
  { role: 'none', body: { request: 'moderate', room: 77, id: 5, mid: '0', mute: true }, fields: { id: 'posint', mid: 'string', mute: 'bool' }, needs: ['id', 'mid', 'mute'] },
  { role: 'none', body: { request: 'enable_recording', room: 77, record: false }, fields: { record: 'bool' }, needs: ['record'] },
  { role: 'none', body: { request: 'edit', room: 78 }, fields: { secret: 'string' }, needs: ['secret'] },
  { role: 'none', body: { request: 'destroy', room: 78 }, fields: { secret: 'string' }, needs: ['secret'] },
  { role: 'none', body: { request: 'allowed', room: 78, action: 'disable' }, fields: { secret: 'string' }, needs: ['secret'] },
  { role: 'none', body: { request: 'kick', room: 78, id: 5 }, fields: { secret: 'string' }, needs: ['secret'] },
  { role: 'none', body: { request: 'moderate', room: 78, id: 5, mid: '0', mute: true }, fields: { secret: 'string' }, needs: ['secret'] },
  { role: 'none', body: { request: 'enable_recording', room: 78, record: false }, fields: { secret: 'string' }, needs: ['secret'] },

  { role: 'none', body: { request: 'rtp_forward', room: 77, publisher_id: 5, host: '127.0.0.1' }, fields: { room: 'posint', publisher_id: 'posint', ...strings('secret host host_family srtp_crypto'),
    streams: 'array', simulcast: 'bool', ...posints('srtp_suite audio_port audio_rtcp_port audio_pt audio_ssrc video_port video_rtcp_port video_pt video_ssrc video_port_2 video_pt_2 video_ssrc_2 ' +
      'video_port_3 video_pt_3 video_ssrc_3 data_port') }, needs: ['room', 'publisher_id', 'host'], ignored: ['admin_key'] },
  { role: 'none', body: { request: 'rtp_forward', room: 77, publisher_id: 5, host: '127.0.0.1' }, in: 'streams', entry: { mid: 'none', port: 9 }, fields: { ...strings('mid host host_family secret srtp_crypto'),
    simulcast: 'bool', ...posints('port rtcp_port ssrc pt port_2 ssrc_2 pt_2 port_3 ssrc_3 pt_3 srtp_suite') }, needs: ['mid', 'port'] },
  { role: 'none', body: { request: 'stop_rtp_forward', room: 77, publisher_id: 5, stream_id: 1 }, fields: { ...posints('room publisher_id stream_id'), secret: 'string' }, needs: ['room', 'publisher_id', 'stream_id'] },
  { role: 'none', body: { request: 'publish_remotely', room: 77, publisher_id: 5, remote_id: 'x', host: '127.0.0.1', port: 9 }, fields: { ...posints('room publisher_id port rtcp_port srtp_suite'),
    ...strings('secret remote_id host host_family srtp_crypto') }, needs: ['room', 'publisher_id', 'remote_id', 'host', 'port'] },
  { role: 'none', body: { request: 'unpublish_remotely', room: 77, publisher_id: 5, remote_id: 'x' }, fields: { ...posints('room publisher_id'), ...strings('secret remote_id') },
    needs: ['room', 'publisher_id', 'remote_id'] },
  { role: 'none', body: { request: 'listremotes', room: 77, publisher_id: 5 }, fields: posints('room publisher_id'), needs: ['room', 'publisher_id'] },
  { role: 'none', body: { request: 'add_remote_publisher', room: 77, streams: [] }, fields: { ...posints('room id port srtp_suite'), ...strings('secret display mcast iface srtp_crypto'), streams: 'array',
    metadata: 'object' }, needs: ['room', 'streams'], ignored: ['rtcp_port'] },
  { role: 'none', body: { request: 'add_remote_publisher', room: 77 }, in: 'streams', entry: { mid: '0', mindex: 0, type: 'none' }, fields: { ...strings('mid type codec description h264_profile vp9_profile'),
    mindex: 'posint', ...bools('disabled stereo fec dtx simulcast svc'), audiolevel_ext_id: 'int', videoorient_ext_id: 'int', playoutdelay_ext_id: 'int' }, needs: ['mid', 'mindex', 'type'] },
  { role: 'none', body: { request: 'update_remote_publisher', room: 77, id: 5, streams: [] }, fields: { ...posints('room id srtp_suite'), ...strings('secret display srtp_crypto'), streams: 'array',
    metadata: 'object' }, needs: ['room', 'id', 'streams'] },
  { role: 'none', body: { request: 'remove_remote_publisher', room: 77, id: 5 }, fields: { ...posints('room id') }, needs: ['room', 'id'] },
  { role: 'none', body: { request: 'listforwarders', room: 77 }, fields: { room: 'posint' }, needs: ['room'] },
  { role: 'none', body: { request: 'listforwarders', room: 78 }, fields: { secret: 'string' }, needs: ['secret'] },

  { role: 'none', body: { request: 'join', room: 78, ptype: 'publisher' }, fields: { pin: 'string' }, needs: ['pin'] },
  { role: 'none', body: { request: 'join', room: 77, ptype: 'publisher', id: 1 }, fields: { room: 'posint', ptype: 'string', ...bools('audio video data record'), bitrate: 'posint',
    ...strings('filename token display'), metadata: 'object', id: 'posint' }, needs: ['room', 'ptype'] },
  { role: 'none', body: { request: 'joinandconfigure', room: 77, ptype: 'publisher', id: 1 }, fields: { room: 'posint', ptype: 'string', ...bools('audio video data record'), bitrate: 'posint',
    ...strings('filename token display'), metadata: 'object', id: 'posint' }, needs: ['room', 'ptype'] },
  { role: 'none', body: { request: 'join', room: 77, ptype: 'publisher', id: 1 }, in: 'descriptions', entry: { mid: '0', description: 'x' }, fields: strings('mid description'), needs: ['mid', 'description'] },
  { role: 'none', body: { request: 'join', room: 77, ptype: 'subscriber', feed: 5 }, fields: { room: 'posint', ptype: 'string', ...bools('audio video data autoupdate offer_audio offer_video offer_data'),
    token: 'string', streams: 'array', private_id: 'posint', ...LAYERS, fallback: 'posint', feed: 'posint' }, needs: ['room', 'ptype', 'feed'], ignored: ['use_msid', 'display', 'id', 'metadata'] },
  { role: 'none', body: { request: 'join', room: 77, ptype: 'subscriber' }, in: 'streams', entry: { feed: 5 }, fields: ENTRY, needs: ['feed'], ignored: ['fallback'] },

  { role: 'publisher', body: { request: 'configure' }, fields: { ...strings('audiocodec videocodec filename display secret'), bitrate: 'posint', ...bools('keyframe record audio video data update restart'),
    metadata: 'object' }, ignored: ['streams', 'descriptions', 'mid', 'send', 'min_delay', 'max_delay', 'audio_active_packets', 'audio_level_average', 'room'] },
  { role: 'publisher', body: { request: 'publish' }, fields: { ...strings('audiocodec videocodec filename display secret'), bitrate: 'posint', ...bools('keyframe record audio video data update restart'),
    metadata: 'object' }, ignored: ['streams', 'descriptions', 'mid', 'send', 'min_delay', 'max_delay'] },
  { role: 'publisher', body: { request: 'configure' }, in: 'streams', entry: {}, fields: { mid: 'string', send: 'bool' }, ignored: ['keyframe'] },
  { role: 'publisher', body: { request: 'configure' }, in: 'descriptions', entry: { mid: '0', description: 'x' }, fields: strings('mid description'), needs: ['mid', 'description'] },
  { role: 'publisher', body: { request: 'join', room: 77, ptype: 'publisher' }, fields: {}, ignored: ['room', 'ptype', 'id'] },
  { role: 'publisher', body: { request: 'unpublish' }, fields: {}, ignored: ['room', 'streams'] },

  { role: 'subscriber', body: { request: 'configure' }, fields: { streams: 'array', ...bools('update restart audio video data') }, ignored: [] },
  { role: 'subscriber', body: { request: 'configure' }, in: 'streams', entry: { mid: '0' }, fields: { mid: 'string', send: 'bool', ...LAYERS, fallback: 'posint', min_delay: 'int', max_delay: 'int' } },
  { role: 'subscriber', body: { request: 'subscribe', streams: [{ feed: 5 }] }, fields: { streams: 'array' }, needs: ['streams'] },
  { role: 'subscriber', body: { request: 'subscribe' }, in: 'streams', entry: { feed: 5 }, fields: ENTRY, needs: ['feed'] },
  { role: 'subscriber', body: { request: 'unsubscribe', streams: [{ feed: 5 }] }, fields: { streams: 'array' }, needs: ['streams'] },
  { role: 'subscriber', body: { request: 'unsubscribe' }, in: 'streams', entry: { feed: 5 }, fields: { ...strings('mid sub_mid'), feed: 'posint' } },
  { role: 'subscriber', body: { request: 'update', subscribe: [{ feed: 5 }] }, fields: { subscribe: 'array', unsubscribe: 'array' }, needs: ['subscribe'] },
  { role: 'subscriber', body: { request: 'update' }, in: 'subscribe', entry: { feed: 5 }, fields: ENTRY, needs: ['feed'] },
  { role: 'subscriber', body: { request: 'update' }, in: 'unsubscribe', entry: { feed: 5 }, fields: { ...strings('mid sub_mid'), feed: 'posint' } },
  { role: 'subscriber', body: { request: 'switch', streams: [] }, fields: { streams: 'array' }, ignored: [] },
  { role: 'subscriber', body: { request: 'switch' }, in: 'streams', entry: { feed: 5, mid: '0', sub_mid: '0' }, fields: { ...strings('mid sub_mid'), feed: 'posint', ...LAYERS }, needs: ['mid', 'sub_mid', 'feed'] },
  { role: 'subscriber', body: { request: 'start' }, fields: {}, ignored: ['room', 'streams'] },
  { role: 'subscriber', body: { request: 'pause' }, fields: {}, ignored: ['room'] },
];

