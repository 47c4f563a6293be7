#include "plugins/fields.h"

#include <string.h>

#include "base/mem.h"

bool field_bool(const json_t *object, const char *name, bool fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t field_int(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

const char *field_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

bool field_all_strings(const json_t *array)
{
    size_t index;
    const json_t *item;
    json_array_foreach(array, index, item)
        if (!json_is_string(item))
            return false;
    return true;
}

char *text_copy(const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = mem_get(size);
    memcpy(copy, text, size);
    return copy;
}

bool secret_is_sample(const char *secret)
{
    static const char *const samples[] = {"adminpwd", "supersecret", "janusoverlord"};
    for (size_t i = 0; secret != NULL && i < ARRAY_COUNT(samples); i++)
        if (strcmp(secret, samples[i]) == 0)
            return true;
    return false;
}
