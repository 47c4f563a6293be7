/* bench_floor - prints the floor (floor.h) for one pattern: the median of some rounds, and their range. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/floor/floor.h"

#define ROUNDS_MAX 50

static const char usage[] =
    "usage: bench_floor [options]\n"
    "  --receivers N   64          --burst N     packets at a time          5\n"
    "  --size BYTES    of a packet, header included, before it is sealed    1200\n"
    "  --rate N        bursts per second; 0: as fast as it goes             0\n"
    "  --msec N        of a round  1000       --rounds N   3\n"
    "  --cm            AES128_CM_SHA1_80 instead of AEAD_AES_128_GCM        --no-gso\n"
    "  --to IP         of the receivers (a null sink); default: a reader on loopback, which looks at every packet\n"
    "  --json\n";

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct asked {
    struct floor_options floor;
    int rounds;
    bool json;
};

static bool read_options(struct asked *asked, int argc, char **argv)
{
    static const struct option longs[] = {
        {"receivers", required_argument, NULL, 'r'}, {"burst", required_argument, NULL, 'b'}, {"size", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'f'}, {"msec", required_argument, NULL, 'm'}, {"rounds", required_argument, NULL, 'n'},
        {"cm", no_argument, NULL, 'c'}, {"no-gso", no_argument, NULL, 'g'}, {"to", required_argument, NULL, 't'},
        {"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        const uint32_t number = optarg == NULL ? 0 : (uint32_t)strtoul(optarg, NULL, 10);
        switch (option) {
        case 'r': asked->floor.receivers = number; break;
        case 'b': asked->floor.burst = number; break;
        case 's': asked->floor.size = number; break;
        case 'f': asked->floor.bursts_per_s = number; break;
        case 'm': asked->floor.msec = number; break;
        case 'n': asked->rounds = (int)number; break;
        case 'c': asked->floor.profile = SEAL_AES128_CM_SHA1_80; break;
        case 'g': asked->floor.no_gso = true; break;
        case 't': asked->floor.to = optarg; break;
        case 'j': asked->json = true; break;
        default: return false;
        }
    }
    return optind == argc && asked->rounds > 0 && asked->rounds <= ROUNDS_MAX;
}

int main(int argc, char **argv)
{
    struct asked asked = {.floor = {.receivers = 64, .burst = 5, .size = 1200, .msec = 1000, .profile = SEAL_AEAD_AES_128_GCM}, .rounds = 3};
    struct floor_result result, total = {0};
    double values[ROUNDS_MAX];
    if (!read_options(&asked, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    (void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){65536, 65536});     /* a reader has a socket per receiver */
    for (int i = 0; i < asked.rounds; i++) {
        if (!floor_run(&asked.floor, &result)) {
            fprintf(stderr, "bench_floor: %s\n", result.error);
            return 1;
        }
        values[i] = result.ns_per_packet;
        total.packets += result.packets;
        total.verified += result.verified;
        total.wrong += result.wrong;
        total.lost += result.lost;
    }
    qsort(values, (size_t)asked.rounds, sizeof(values[0]), compare);
    const char *format = asked.json ? "{\"ns_per_packet\":%.1f,\"least\":%.1f,\"most\":%.1f,\"packets\":%llu,\"verified\":%llu,\"wrong\":%llu,\"lost\":%llu}\n"
                                    : "%.1f ns of CPU per packet sent (%.1f to %.1f); packets %llu, verified %llu, wrong %llu, lost %llu\n";
    printf(format, values[asked.rounds / 2], values[0], values[asked.rounds - 1], (unsigned long long)total.packets,
           (unsigned long long)total.verified, (unsigned long long)total.wrong, (unsigned long long)total.lost);
    return total.wrong > 0 ? 1 : 0;
}
