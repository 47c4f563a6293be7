/* proto/seal/profile.c - RFC 5764 4.1.2 and 4.2, RFC 7714 12 and 14.2. */
#include <string.h>

#include "proto/seal/seal_internal.h"

struct profile_info {
    const char *name;
    uint8_t key;
    uint8_t salt;
    uint8_t tag;
};

static const struct profile_info *info(enum seal_profile profile)
{
    static const struct profile_info none = {"none", 0, 0, 0};
    static const struct profile_info cm_80 = {"AES128_CM_SHA1_80", 16, 14, SEAL_CM_TAG};
    static const struct profile_info cm_32 = {"AES128_CM_SHA1_32", 16, 14, SEAL_CM_TAG_32};
    static const struct profile_info gcm_128 = {"AEAD_AES_128_GCM", 16, 12, SEAL_GCM_TAG};
    static const struct profile_info gcm_256 = {"AEAD_AES_256_GCM", 32, 12, SEAL_GCM_TAG};
    switch (profile) {
    case SEAL_AES128_CM_SHA1_80: return &cm_80;
    case SEAL_AES128_CM_SHA1_32: return &cm_32;
    case SEAL_AEAD_AES_128_GCM: return &gcm_128;
    case SEAL_AEAD_AES_256_GCM: return &gcm_256;
    case SEAL_NONE: break;
    }
    return &none;
}

size_t seal_key_size(enum seal_profile profile)
{
    return info(profile)->key;
}

size_t seal_salt_size(enum seal_profile profile)
{
    return info(profile)->salt;
}

size_t seal_tag_size(enum seal_profile profile)
{
    return info(profile)->tag;
}

size_t seal_rtcp_overhead(enum seal_profile profile)
{
    if (info(profile)->tag == 0)
        return 0;
    return 4 + (seal_is_gcm(profile) ? SEAL_GCM_TAG : SEAL_CM_TAG);
}

const char *seal_profile_name(enum seal_profile profile)
{
    return info(profile)->name;
}

size_t seal_material_size(enum seal_profile profile)
{
    return 2 * (seal_key_size(profile) + seal_salt_size(profile));
}

bool seal_split(enum seal_profile profile, struct view material, struct seal_master *client, struct seal_master *server)
{
    size_t key = seal_key_size(profile);
    size_t salt = seal_salt_size(profile);
    if (key == 0 || material.size < seal_material_size(profile))
        return false;
    *client = *server = (struct seal_master){.profile = profile};
    const uint8_t *p = material.data;
    memcpy(client->key, p, key);
    memcpy(server->key, p + key, key);
    memcpy(client->salt, p + 2 * key, salt);
    memcpy(server->salt, p + 2 * key + salt, salt);
    return true;
}
