#include "helpers/events/evmask.h"

#include "base/str.h"
#include "helpers/events/evhandler.h"

struct event_word {
    uint16_t type;
    const char *label;
    const char *name;
};

static const struct event_word words[] = {
    {EVENT_SESSION, "sessions", "Sessions"},
    {EVENT_HANDLE, "handles", "Handles"},
    {EVENT_EXTERNAL, "external", "External"},
    {EVENT_JSEP, "jsep", "Jsep"},
    {EVENT_WEBRTC, "webrtc", "WebRTC"},
    {EVENT_MEDIA, "media", "Media"},
    {EVENT_PLUGIN, "plugins", "Plugins"},
    {EVENT_TRANSPORT, "transports", "Transports"},
    {EVENT_CORE, "core", "Core"},
};

const char *event_label(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (words[i].type == type)
            return words[i].label;
    return "no_events";
}

const char *event_name(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (words[i].type == type)
            return words[i].name;
    return "No events";
}

static uint16_t type_of(struct view word)
{
    while (word.size > 0 && word.data[0] == ' ')
        word = VIEW(word.data + 1, word.size - 1);
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        if (str_equal_nocase(word, str_of(words[i].label)))
            return words[i].type;
    return 0;
}

uint16_t evmask_parse(const char *text)
{
    struct view left = str_of(text);
    uint16_t mask = 0;
    if (str_equal_nocase(left, STR("none")))
        return 0;
    if (str_equal_nocase(left, STR("all")))
        return EVENT_ALL;
    while (left.size > 0)
        mask |= type_of(str_split(&left, ','));
    return mask;
}
