// Remote publishers (videoroom.md 7). Debian's version has none of these requests: they are unknown there, and the specification's own
// tests are what counts. Being built: `off` goes when they are there.

const REQUESTS = ['publish_remotely', 'unpublish_remotely', 'listremotes', 'add_remote_publisher', 'update_remote_publisher', 'remove_remote_publisher'];

export default REQUESTS.map(request => ({
  name: `${request}, which Debian's version does not know`,
  off: true,
  steps: async t => {
    const a = await t.attach('a');
    await t.room(6001, {}, a);
    await a.ask({ request, room: 6001, id: 5, publisher_id: 5, remote_id: 'x', host: '127.0.0.1', port: 40000, streams: [] });
  },
}));
