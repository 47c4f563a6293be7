/* proto/seal/no_ipsec_mb.c - the names of ipsec_mb.c in a build without libipsec-mb: there is never a manager. */
#include "base/check.h"
#include "proto/seal/seal_internal.h"

struct seal_mb *seal_mb_new(bool use_avx512)
{
    (void)use_avx512;
    return NULL;
}

void seal_mb_free(struct seal_mb *mb)
{
    CHECK(mb == NULL);
}

const char *seal_mb_name(const struct seal_mb *mb)
{
    CHECK(mb == NULL);
    return "";
}

size_t seal_mb_expanded_size(enum seal_profile profile)
{
    (void)profile;
    return 0;
}

void seal_mb_expand(struct seal_mb *mb, struct seal_keys *keys, const uint8_t *key)
{
    (void)keys;
    (void)key;
    CHECK(mb != NULL);
}

void seal_mb_gcm(struct seal_mb *mb, const struct seal_gcm *gcm)
{
    (void)gcm;
    CHECK(mb != NULL);
}

void seal_mb_protect(struct seal_mb *mb, struct seal_job *jobs, size_t count)
{
    (void)jobs;
    (void)count;
    CHECK(mb != NULL);
}

void seal_mb_open(struct seal_mb *mb, struct seal_job *jobs, size_t count)
{
    (void)jobs;
    (void)count;
    CHECK(mb != NULL);
}
