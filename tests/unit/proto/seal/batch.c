/* Batches over many keys: every backend gives the same bytes, whatever the size and the mix; what was touched is refused. */
#include "proto/seal/kit.h"

#include <stdlib.h>

#define KEYS  12u
#define BATCH 200u

struct packet {
    uint8_t data[KIT_PACKET_MAX + SEAL_ROOM];
};

struct world {
    struct seal_shared *shared;
    struct seal_keys *keys[KEYS];
    struct packet *packets;
    struct seal_job jobs[BATCH];
};

static bool world_open(struct world *world, enum seal_backend backend)
{
    world->shared = seal_shared_new(backend, KEYS);
    if (world->shared == NULL)
        return false;
    struct kit_random r = {3};
    for (unsigned i = 0; i < KEYS; i++) {
        struct seal_master master = kit_master(&r, kit_profiles[i % ARRAY_COUNT(kit_profiles)]);
        world->keys[i] = seal_keys_new(world->shared, &master);
        assert_non_null(world->keys[i]);
        assert_int_equal(seal_keys_profile(world->keys[i]), master.profile);
    }
    world->packets = malloc(BATCH * sizeof(struct packet));
    assert_non_null(world->packets);
    return true;
}

static void world_close(struct world *world)
{
    for (unsigned i = 0; i < KEYS; i++)
        seal_keys_free(world->keys[i]);
    seal_shared_free(world->shared);
    free(world->packets);
}

/* `only` below KEYS: all packets under that key. Sizes from empty payloads to the largest. */
static void fill(struct world *world, size_t count, unsigned only, uint64_t seed)
{
    struct kit_random r = {seed};
    for (size_t i = 0; i < count; i++) {
        uint8_t *data = world->packets[i].data;
        unsigned key = kit_u32(&r) % KEYS;
        uint16_t seq = (uint16_t)kit_u32(&r);
        uint64_t roc = kit_u32(&r) % 3 == 0 ? kit_u32(&r) : 0;
        size_t header = kit_header(data, &r, seq, kit_u32(&r), kit_u32(&r) % 4, kit_u32(&r) % 5);
        size_t payload = kit_u32(&r) % 5 == 0 ? kit_u32(&r) % 3 : kit_u32(&r) % (KIT_PACKET_MAX - 16 - header);
        kit_bytes(&r, data + header, payload);
        world->jobs[i] = (struct seal_job){
            .keys = world->keys[only < KEYS ? only : key],
            .index = roc << 16 | seq,
            .packet = data,
            .header_size = (uint16_t)header,
            .size = (uint16_t)(header + payload),
        };
    }
}

static const size_t counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 19, 20, 31, 33, 63, 64, 65, 68, 130, BATCH};

static void compare(struct world *a, struct world *b, size_t count, unsigned only, uint64_t seed)
{
    fill(a, count, only, seed);
    fill(b, count, only, seed);
    seal_protect(a->shared, a->jobs, count);
    seal_protect(b->shared, b->jobs, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(a->jobs[i].ok);
        assert_true(b->jobs[i].ok);
        assert_int_equal(a->jobs[i].size, b->jobs[i].size);
        assert_memory_equal(a->packets[i].data, b->packets[i].data, a->jobs[i].size);
    }
    seal_open(a->shared, a->jobs, count);
    seal_open(b->shared, b->jobs, count);
    struct world clear = *a;
    clear.packets = malloc(BATCH * sizeof(struct packet));
    assert_non_null(clear.packets);
    fill(&clear, count, only, seed);
    for (size_t i = 0; i < count; i++) {
        assert_true(a->jobs[i].ok);
        assert_true(b->jobs[i].ok);
        assert_int_equal(a->jobs[i].size, clear.jobs[i].size);
        assert_memory_equal(a->packets[i].data, clear.packets[i].data, clear.jobs[i].size);
        assert_memory_equal(b->packets[i].data, clear.packets[i].data, clear.jobs[i].size);
    }
    free(clear.packets);
}

static void test_backends_give_equal_bytes(void **state)
{
    (void)state;
    struct world a;
    assert_true(world_open(&a, SEAL_BACKEND_OPENSSL));
    for (size_t backend = 0; backend < ARRAY_COUNT(kit_backends); backend++) {
        struct world b;
        if (!world_open(&b, kit_backends[backend])) {
            print_message("backend %zu is not to be had here\n", backend);
            continue;
        }
        print_message("%s\n", seal_backend_name(b.shared));
        for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
            compare(&a, &b, counts[i], KEYS, 100 + i);
            for (unsigned key = 0; key < ARRAY_COUNT(kit_profiles); key++)
                compare(&a, &b, counts[i], key, 200 + i);
        }
        world_close(&b);
    }
    world_close(&a);
}

/* Equal sizes are what a fan-out is: one payload, many keys, and the lanes in step. */
static void test_fan_out_of_one_payload(void **state)
{
    (void)state;
    struct world a;
    struct world b;
    assert_true(world_open(&a, SEAL_BACKEND_OPENSSL));
    assert_true(world_open(&b, SEAL_BACKEND_AUTO));
    struct world *worlds[] = {&a, &b};
    for (size_t w = 0; w < 2; w++) {
        for (unsigned i = 0; i < BATCH; i++) {
            struct kit_random r = {5};
            uint8_t *data = worlds[w]->packets[i].data;
            size_t header = kit_header(data, &r, 77, 1000 + i, 0, 2);
            kit_bytes(&r, data + header, 1100);
            worlds[w]->jobs[i] = (struct seal_job){.keys = worlds[w]->keys[i % KEYS], .index = 77, .packet = data,
                                                   .header_size = (uint16_t)header, .size = (uint16_t)(header + 1100)};
        }
        seal_protect(worlds[w]->shared, worlds[w]->jobs, BATCH);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        assert_int_equal(a.jobs[i].size, b.jobs[i].size);
        assert_memory_equal(a.packets[i].data, b.packets[i].data, a.jobs[i].size);
    }
    world_close(&a);
    world_close(&b);
}

/* One bit anywhere, a wrong index, a wrong key: refused, and the others of the batch are not. */
static void test_tampered_packets_are_refused_alone(void **state)
{
    (void)state;
    for (size_t backend = 0; backend < ARRAY_COUNT(kit_backends); backend++) {
        struct world world;
        if (!world_open(&world, kit_backends[backend]))
            continue;
        for (uint64_t seed = 0; seed < 30; seed++) {
            const size_t count = 40;
            struct kit_random r = {seed};
            fill(&world, count, KEYS, 1000 + seed);
            seal_protect(world.shared, world.jobs, count);
            for (size_t i = 0; i < count; i += 2) {
                struct seal_job *job = &world.jobs[i];
                unsigned what = kit_u32(&r) % 4;
                if (what == 0)
                    job->index ^= 1ull << (16 + kit_u32(&r) % 32);
                else if (what == 1)
                    job->packet[job->size - 1 - kit_u32(&r) % seal_tag_size(job->keys->profile)] ^= 0x40;
                else
                    job->packet[kit_u32(&r) % job->size] ^= (uint8_t)(1u << kit_u32(&r) % 8);
            }
            seal_open(world.shared, world.jobs, count);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(world.jobs[i].ok, i % 2 == 1);
        }
        world_close(&world);
    }
}

static void test_another_key_does_not_open(void **state)
{
    (void)state;
    for (size_t backend = 0; backend < ARRAY_COUNT(kit_backends); backend++) {
        struct world world;
        if (!world_open(&world, kit_backends[backend]))
            continue;
        for (unsigned key = 0; key < ARRAY_COUNT(kit_profiles); key++) {
            fill(&world, 20, key, key);
            seal_protect(world.shared, world.jobs, 20);
            for (size_t i = 0; i < 20; i++)
                world.jobs[i].keys = world.keys[key + ARRAY_COUNT(kit_profiles)];      /* the same profile */
            seal_open(world.shared, world.jobs, 20);
            for (size_t i = 0; i < 20; i++)
                assert_false(world.jobs[i].ok);
        }
        world_close(&world);
    }
}

/* Cut anywhere, down to the bare header. */
static void test_truncated_packets_are_refused(void **state)
{
    (void)state;
    for (size_t backend = 0; backend < ARRAY_COUNT(kit_backends); backend++) {
        struct world world;
        if (!world_open(&world, kit_backends[backend]))
            continue;
        for (unsigned key = 0; key < ARRAY_COUNT(kit_profiles); key++) {
            struct kit_random r = {key};
            uint8_t sealed[100 + SEAL_ROOM];
            size_t header = kit_header(sealed, &r, 9, 9, 1, 1);
            kit_bytes(&r, sealed + header, 30);
            struct seal_job job = {.keys = world.keys[key], .index = 9, .packet = sealed, .header_size = (uint16_t)header,
                                   .size = (uint16_t)(header + 30)};
            seal_protect(world.shared, &job, 1);
            for (uint16_t size = job.header_size; size < job.size; size++) {
                uint8_t *copy = malloc(size);                   /* exact, so that a sanitizer sees a read past it */
                assert_non_null(copy);
                memcpy(copy, sealed, size);
                struct seal_job cut = job;
                cut.packet = copy;
                cut.size = size;
                seal_open(world.shared, &cut, 1);
                assert_false(cut.ok);
                assert_int_equal(cut.size, size);
                free(copy);
            }
        }
        world_close(&world);
    }
}

static void test_keys_have_a_limit_and_come_home(void **state)
{
    (void)state;
    struct seal_shared *shared = seal_shared_new(SEAL_BACKEND_AUTO, 2);
    struct seal_master cm = {.profile = SEAL_AES128_CM_SHA1_80};
    struct seal_master gcm = {.profile = SEAL_AEAD_AES_128_GCM};
    struct seal_keys *a = seal_keys_new(shared, &cm);
    struct seal_keys *b = seal_keys_new(shared, &gcm);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(seal_keys_new(shared, &cm));
    assert_null(seal_keys_new(shared, &gcm));
    seal_keys_free(a);
    assert_null(seal_keys_new(shared, &(struct seal_master){.profile = SEAL_NONE}));
    assert_null(seal_keys_new(shared, &(struct seal_master){.profile = (enum seal_profile)9}));
    a = seal_keys_new(shared, &gcm);
    assert_non_null(a);
    seal_keys_free(a);
    seal_keys_free(b);
    seal_keys_free(NULL);
    seal_shared_free(shared);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void out_of_memory(void)
{
    struct seal_shared *shared = seal_shared_new(SEAL_BACKEND_AUTO, 8);
    for (unsigned i = 0; i < ARRAY_COUNT(kit_profiles); i++) {
        struct seal_master master = {.profile = kit_profiles[i]};
        seal_keys_free(seal_keys_new(shared, &master));
    }
    seal_shared_free(shared);
    assert_int_equal(seam_mem_outstanding(), 0);
}

static void test_refused_pools_leave_nothing_behind(void **state)
{
    (void)state;
    seam_oom_sweep(out_of_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backends_give_equal_bytes),
        cmocka_unit_test(test_fan_out_of_one_payload),
        cmocka_unit_test(test_tampered_packets_are_refused_alone),
        cmocka_unit_test(test_another_key_does_not_open),
        cmocka_unit_test(test_truncated_packets_are_refused),
        cmocka_unit_test(test_keys_have_a_limit_and_come_home),
        cmocka_unit_test(test_refused_pools_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
