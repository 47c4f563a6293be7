/* bench/seal.c - ns of CPU per packet for sealing and opening, by profile, backend, packet size and batch size, each batch
 * over as many keys as it has packets; and bytes per key. Single-threaded; the best of some rounds. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"
#include "bench/seams.h"
#include "proto/seal/seal.h"

#define KEYS       64u
#define ROUNDS     7u
#define ROUND_NS   20000000ull
#define PACKET_MAX 1500u

struct bed {
    struct seal_shared *shared;
    struct seal_keys *keys[KEYS];
    struct seal_job jobs[KEYS];
    uint8_t packets[KEYS][PACKET_MAX];
    uint8_t sealed[KEYS][PACKET_MAX];
};

static void load(struct bed *bed, size_t batch, uint16_t size, uint64_t index, uint8_t (*from)[PACKET_MAX])
{
    for (size_t i = 0; i < batch; i++) {
        memcpy(bed->packets[i], from[i], size);
        bed->jobs[i] = (struct seal_job){.keys = bed->keys[i], .index = index, .packet = bed->packets[i], .header_size = 20, .size = size};
    }
}

/* ns per packet; the copy into place is part of a fan-out, so it is part of this. */
static double measure(struct bed *bed, size_t batch, uint16_t size, bool open)
{
    double best = 1e9;
    uint16_t sealed_size = size;
    load(bed, batch, size, 7, bed->sealed);
    if (open) {
        seal_protect(bed->shared, bed->jobs, batch);
        sealed_size = bed->jobs[0].size;
        for (size_t i = 0; i < batch; i++)
            memcpy(bed->sealed[i], bed->packets[i], sealed_size);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t packets = 0;
        uint64_t start = cpu_ns();
        uint64_t end = start;
        while (end - start < ROUND_NS) {
            for (unsigned i = 0; i < 50; i++) {
                load(bed, batch, sealed_size, 7, bed->sealed);
                if (open)
                    seal_open(bed->shared, bed->jobs, batch);
                else
                    seal_protect(bed->shared, bed->jobs, batch);
                CHECK(bed->jobs[batch - 1].ok);
                packets += batch;
            }
            end = cpu_ns();
        }
        double ns = (double)(end - start) / (double)packets;
        best = ns < best ? ns : best;
    }
    return best;
}

static void run(enum seal_backend backend, enum seal_profile profile)
{
    static struct bed bed;
    memset(&bed, 0, sizeof(bed));
    bed.shared = seal_shared_new(backend, KEYS);
    if (bed.shared == NULL)
        return;
    for (unsigned i = 0; i < KEYS; i++) {
        struct seal_master master = {.profile = profile};
        memset(master.key, (int)i + 1, sizeof(master.key));
        bed.keys[i] = seal_keys_new(bed.shared, &master);
    }
    static const uint16_t sizes[] = {160, 1200};
    static const size_t batches[] = {1, 2, 4, 8, 16, 64};
    for (unsigned s = 0; s < ARRAY_COUNT(sizes); s++) {
        for (unsigned b = 0; b < ARRAY_COUNT(batches); b++) {
            double ns[2];
            for (unsigned open = 0; open < 2; open++) {
                for (unsigned i = 0; i < KEYS; i++) {
                    memset(bed.sealed[i], 0x5A, PACKET_MAX);
                    put_u32(bed.sealed[i] + 8, i);
                }
                ns[open] = measure(&bed, batches[b], sizes[s], open == 1);
            }
            printf("%-16s %-18s %5u bytes %3zu keys  seal %5.0f  open %5.0f ns\n", seal_backend_name(bed.shared),
                   seal_profile_name(profile), sizes[s], batches[b], ns[0], ns[1]);
        }
    }
    for (unsigned i = 0; i < KEYS; i++)
        seal_keys_free(bed.keys[i]);
    seal_shared_free(bed.shared);
}

int main(void)
{
    static const enum seal_backend backends[] = {SEAL_BACKEND_OPENSSL, SEAL_BACKEND_IPSEC_MB_AVX2, SEAL_BACKEND_IPSEC_MB};
    static const enum seal_profile profiles[] = {SEAL_AES128_CM_SHA1_80, SEAL_AEAD_AES_128_GCM, SEAL_AEAD_AES_256_GCM};
    for (unsigned p = 0; p < ARRAY_COUNT(profiles); p++)
        for (unsigned b = 0; b < ARRAY_COUNT(backends); b++)
            run(backends[b], profiles[p]);
    return 0;
}
