// Remote publishers (videoroom.md 7): as they are added, changed, announced, subscribed to and removed. No media flows.

const join = (room, more = {}) => ({ request: 'join', room, ptype: 'publisher', ...more });
const AUDIO = { mid: '0', mindex: 0, type: 'audio', codec: 'opus', fec: true };
const VIDEO = { mid: '1', mindex: 1, type: 'video', codec: 'vp8', description: 'camera' };

const add = (room, more = {}) => ({ request: 'add_remote_publisher', room, id: 90, display: 'Far', streams: [AUDIO, VIDEO], ...more });

export default [
  {
    name: 'added, announced, subscribed to, changed, removed',
    steps: async t => {
      const a = await t.attach('a'), b = await t.attach('b'), c = await t.attach('c');
      await t.room(6001, {}, a);
      await b.ask(join(6001));
      await a.ask(add(6001));
      await b.hears('publishers');
      await a.ask({ request: 'listparticipants', room: 6001 });
      await c.ask(join(6001));
      await t.attach('s').then(s => s.watch(6001, [{ feed: 90 }]));
      for (const streams of [[], [{ ...VIDEO, description: 'screen' }], [{ ...AUDIO, disabled: true }], [{ ...VIDEO, mid: '2', mindex: 2 }]]) {
        await a.ask({ request: 'update_remote_publisher', room: 6001, id: 90, streams }, undefined, `update ${JSON.stringify(streams)}`);
        await t.quiet(200);
      }
      await a.ask({ request: 'remove_remote_publisher', room: 6001, id: 90 });
      await b.hears('leaving');
      await a.ask({ request: 'remove_remote_publisher', room: 6001, id: 90 }, undefined, 'removed twice');
      await a.ask({ request: 'listparticipants', room: 6001 });
    },
  },
  {
    name: 'what may not be added',
    steps: async t => {
      const a = await t.attach('a');
      await t.room(6002, {}, a);
      await a.ask(join(6002, { id: 5 }));
      for (const more of [{ streams: [] }, { streams: [{}] }, { streams: [{ mid: '0' }] }, { streams: [{ mid: '0', mindex: 0 }] }, { streams: [{ mid: '0', mindex: 0, type: 'smell' }] }, { streams: [{ mid: '0', mindex: 0, type: 'audio' }] },
        { streams: [{ mid: '0', mindex: 0, type: 'audio', codec: 'mp3' }] }, { room: 9 }, { room: undefined }, { id: 5 }, { id: 'x' }, { iface: 'nowhere' }])
        await a.ask(add(6002, more), undefined, `add ${JSON.stringify(more)}`);
      for (const request of ['update_remote_publisher', 'remove_remote_publisher'])
        for (const id of [9, 5, undefined])
          await a.ask({ request, room: 6002, id, streams: [] }, undefined, `${request} ${id}`);
    },
  },
  {
    name: 'published on another server as well',
    steps: async t => {
      const p = await t.attach('p');
      await t.room(6003, {}, p);
      await p.ask(join(6003, { id: 1 }));
      const publish = more => ({ request: 'publish_remotely', room: 6003, publisher_id: 1, remote_id: 'far', host: '127.0.0.1', port: 40500, ...more });
      await p.ask(publish({}), undefined, 'before it publishes');
      await p.publish();
      for (const more of [{}, {}, { remote_id: 'other', port: 40502, rtcp_port: 40503 }, { publisher_id: 9 }, { port: 0 }, { host: 'nowhere.invalid', remote_id: 'x' }, { remote_id: undefined }, { host: undefined }, { room: 9 }])
        await p.ask(publish(more), undefined, `publish_remotely ${JSON.stringify(more)}`);
      await p.ask({ request: 'listremotes', room: 6003, publisher_id: 1 });
      await p.ask({ request: 'listremotes', room: 6003, publisher_id: 9 });
      await p.ask({ request: 'listforwarders', room: 6003 });
      for (const remote_id of ['far', 'far', 'x', undefined])
        await p.ask({ request: 'unpublish_remotely', room: 6003, publisher_id: 1, remote_id }, undefined, `unpublish_remotely ${remote_id}`);
      await p.ask({ request: 'listremotes', room: 6003, publisher_id: 1 });
    },
  },
];
