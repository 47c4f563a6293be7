/* tests/unit/proto/sdp/sdp_files.h - descriptions that browsers made (tests/data/sdp: Chromium 156 and Firefox 153 ESR), for
 * the tests of this folder and of control/negotiate. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/types.h"
#include "support/seams.h"

static const char *const browser_files[] = {
    "chromium-offer-av-data.sdp", "chromium-offer-recvonly.sdp", "chromium-offer-simulcast.sdp", "chromium-offer-stopped.sdp",
    "chromium-answer-av-data.sdp",
    "firefox-offer-av-data.sdp", "firefox-offer-recvonly.sdp", "firefox-offer-simulcast.sdp", "firefox-offer-stopped.sdp",
    "firefox-answer-av-data.sdp",
};

/* The file's text, good until the next call. */
static inline struct view sdp_file(const char *name)
{
    static char text[64 * 1024];
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", SDP_DATA_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    assert_true(size > 0 && size < sizeof(text));
    return VIEW(text, size);
}
