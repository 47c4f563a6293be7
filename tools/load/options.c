#include "load/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "bench/floor/floor.h"
#include "client/synth.h"
#include "runtime/localaddr.h"

static const char usage[] =
    "usage: cardea-load COMMAND [options]\n"
    "  api      create, attach, join, detach, destroy: N cycles over M connections\n"
    "  idle     N sessions with a VideoRoom handle each, on M connections, doing nothing\n"
    "  peers    N PeerConnections (audio and video) that send nothing: to the EchoTest, or as viewers of a room\n"
    "  room     one publisher to N viewers\n"
    "  text     N in a text room; one of them speaks, all hear it\n"
    "  clients  N WebSocket clients that say nothing\n"
    "  storm    N clients that connect, vanish, claim, join, publish, watch, kick, list, destroy, all at once; every request is timed\n"
    "options:\n"
    "  --server IP:PORT   its WebSocket listener                     127.0.0.1:8188\n"
    "  --pid PID          the server's process: what it costs is read from /proc\n"
    "  --ip IP            address of our UDP sockets                 the machine's first one\n"
    "  --count N          sessions, PeerConnections, viewers, clients (at most 20000)\n"
    "  --connections M    WebSocket connections                      16; idle: 100\n"
    "  --cycles N         of api                                     3000\n"
    "  --parallel N       of what is being set up at a time          16\n"
    "  --seconds S        how long to look (at most 600)             5\n"
    "  --kbps K, --fps F  of the video in room                       1500, 30\n"
    "  --pause MS         between two requests of a client of storm, on average   100\n"
    "  --loss PERCENT     of the packets to viewers, in room         0\n"
    "  --media audio|video|both  of the publisher in room            both\n"
    "  --burst N, --bytes B      room: every frame has N packets with payloads of B bytes (audio: a packet has B)\n"
    "  --gap US           room: between the packets of such a frame  0\n"
    "  --sink             room: viewers are in the far namespace of scripts/nullsink.sh; what they would get is counted there\n"
    "  --witnesses N      room, with --sink: viewers that do get everything, and verify it   1\n"
    "  --compare IP:PORT,PID|floor  the same against another server (or bench/floor, with room), in turns: both, and the ratio\n"
    "  --rounds N         of --compare (at most 50)                  5\n"
    "  --room ID          which exists on the server                 1234\n"
    "  --mode echo|room|data  of peers (data: echo, and a channel)   echo\n"
    "  --json             one JSON object instead of a table\n";

enum { OPT_SERVER = 1, OPT_PID, OPT_IP, OPT_COUNT, OPT_CONNECTIONS, OPT_CYCLES, OPT_PARALLEL, OPT_SECONDS, OPT_KBPS, OPT_FPS, OPT_PAUSE, OPT_LOSS, OPT_ROOM,
       OPT_MODE, OPT_MEDIA, OPT_BURST, OPT_BYTES, OPT_GAP, OPT_SINK, OPT_WITNESSES, OPT_COMPARE, OPT_ROUNDS, OPT_JSON, OPT_HELP };

static const struct option longs[] = {
    {"server", required_argument, NULL, OPT_SERVER}, {"pid", required_argument, NULL, OPT_PID},
    {"ip", required_argument, NULL, OPT_IP},         {"count", required_argument, NULL, OPT_COUNT},
    {"connections", required_argument, NULL, OPT_CONNECTIONS}, {"cycles", required_argument, NULL, OPT_CYCLES},
    {"parallel", required_argument, NULL, OPT_PARALLEL}, {"seconds", required_argument, NULL, OPT_SECONDS},
    {"kbps", required_argument, NULL, OPT_KBPS},     {"fps", required_argument, NULL, OPT_FPS},
    {"loss", required_argument, NULL, OPT_LOSS},     {"room", required_argument, NULL, OPT_ROOM},
    {"pause", required_argument, NULL, OPT_PAUSE},   {"media", required_argument, NULL, OPT_MEDIA},
    {"burst", required_argument, NULL, OPT_BURST},   {"bytes", required_argument, NULL, OPT_BYTES},
    {"gap", required_argument, NULL, OPT_GAP},       {"sink", no_argument, NULL, OPT_SINK},
    {"witnesses", required_argument, NULL, OPT_WITNESSES}, {"compare", required_argument, NULL, OPT_COMPARE},
    {"rounds", required_argument, NULL, OPT_ROUNDS},
    {"mode", required_argument, NULL, OPT_MODE},     {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},           {NULL, 0, NULL, 0},
};

/* 127.0.0.1:8188, [::1]:8188 */
static bool read_address(struct net_addr *out, const char *text)
{
    struct view view = str_of(text), port = view;
    size_t at = view.size;
    while (at > 0 && view.data[at - 1] != ':')
        at--;
    if (at == 0)
        return false;
    struct view ip = {view.data, at - 1};
    port = (struct view){view.data + at, view.size - at};
    if (ip.size > 2 && ip.data[0] == '[' && ip.data[ip.size - 1] == ']')
        ip = (struct view){ip.data + 1, ip.size - 2};
    return net_ip_parse(out, ip) && str_u16(port, &out->port) && out->port != 0;
}

static bool read_number(uint32_t *out, const char *text, uint32_t min, uint32_t max)
{
    return str_u32(str_of(text), out) && *out >= min && *out <= max;
}

static bool read_name(unsigned *out, const char *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *out = (unsigned)i;
        if (strcmp(text, names[i]) == 0)
            return true;
    }
    return false;
}

/* floor, or 127.0.0.1:8189,1234 */
static bool read_other(struct options *o, const char *text)
{
    char address[64];
    const char *comma = strchr(text, ',');
    uint32_t pid;
    o->compare = true;
    o->compare_floor = strcmp(text, "floor") == 0;
    if (o->compare_floor)
        return true;
    if (comma == NULL || (size_t)(comma - text) >= sizeof(address) || !read_number(&pid, comma + 1, 1, INT32_MAX))
        return false;
    memcpy(address, text, (size_t)(comma - text));
    address[comma - text] = '\0';
    o->other_pid = (int)pid;
    return read_address(&o->other, address);
}

static bool take(struct options *o, int option, const char *text)
{
    static const char *const modes[] = {[MODE_ECHO] = "echo", [MODE_ROOM] = "room", [MODE_DATA] = "data"};
    static const char *const media[] = {[MEDIA_BOTH] = "both", [MEDIA_ONLY_AUDIO] = "audio", [MEDIA_ONLY_VIDEO] = "video"};
    uint32_t pid;
    switch (option) {
    case OPT_SERVER: return read_address(&o->server, text);
    case OPT_IP: return net_ip_parse(&o->local, str_of(text));
    case OPT_COUNT: return read_number(&o->count, text, 1, COUNT_MAX);
    case OPT_CONNECTIONS: return read_number(&o->connections, text, 1, 1000);
    case OPT_CYCLES: return read_number(&o->cycles, text, 1, 1000000);
    case OPT_PARALLEL: return read_number(&o->parallel, text, 1, 256);
    case OPT_SECONDS: return read_number(&o->seconds, text, 1, SECONDS_MAX);
    case OPT_KBPS: return read_number(&o->kbps, text, 1, 20000);
    case OPT_FPS: return read_number(&o->fps, text, 1, 1000);
    case OPT_PAUSE: return read_number(&o->pause_ms, text, 1, 60000);
    case OPT_LOSS: return read_number(&o->loss_percent, text, 0, 50);
    case OPT_ROOM: return str_u64(str_of(text), &o->room) && o->room > 0;
    case OPT_MODE: return read_name(&o->mode, text, modes, ARRAY_COUNT(modes));
    case OPT_MEDIA: return read_name(&o->media, text, media, ARRAY_COUNT(media));
    case OPT_BURST: return read_number(&o->burst, text, 1, FLOOR_BURST_MAX);
    case OPT_BYTES: return read_number(&o->bytes, text, 64, SYNTH_SHAPED_BYTES);
    case OPT_GAP: return read_number(&o->gap_us, text, 1, 100000);
    case OPT_WITNESSES: return read_number(&o->witnesses, text, 1, 100);
    case OPT_COMPARE: return read_other(o, text);
    case OPT_ROUNDS: return read_number(&o->rounds, text, 1, ROUNDS_MAX);
    case OPT_SINK:
        o->sink = true;
        return true;
    case OPT_PID:
        o->pid = read_number(&pid, text, 1, INT32_MAX) ? (int)pid : 0;
        return o->pid != 0;
    case OPT_JSON:
        o->json = true;
        return true;
    default: return false;
    }
}

/* The address that a server on this machine would offer, so that both ends can reach each other. */
static void find_local(struct net_addr *out)
{
    struct localaddr_list all, some;
    const struct localaddr_rules rules = {.ip6 = false};
    (void)net_ip_parse(out, STR("127.0.0.1"));
    if (!localaddr_read(&all))
        return;
    localaddr_select(&some, &all, &rules);
    if (some.count > 0)
        *out = some.items[0].addr;
}

bool options_read(struct options *options, int argc, char **argv, bool *asked)
{
    int index = 0;
    *asked = false;
    *options = (struct options){.cycles = 3000, .parallel = 16, .seconds = 5, .kbps = 1500, .fps = 30, .pause_ms = 100, .room = 1234,
                                .bytes = 1172, .witnesses = 1, .rounds = 5};
    (void)read_address(&options->server, "127.0.0.1:8188");
    for (int option; (option = getopt_long(argc, argv, "", longs, &index)) != -1;) {
        if (option == OPT_HELP) {
            fputs(usage, stdout);
            *asked = true;
            return false;
        }
        if (option == '?' || !take(options, option, optarg)) {
            if (option != '?')
                fprintf(stderr, "cardea-load: --%s %s: out of range, or not understood\n", longs[index].name, optarg);
            return false;
        }
    }
    if (optind + 1 != argc) {
        fputs(usage, stderr);
        return false;
    }
    options->command = argv[optind];
    if (options->local.family == NET_NONE)
        find_local(&options->local);
    return true;
}
