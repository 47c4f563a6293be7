#include "io/api_path.h"

#include <string.h>

#include "base/str.h"

static struct view find(struct view in, struct view what)
{
    for (size_t i = 0; i + what.size <= in.size; i++)
        if (memcmp(in.data + i, what.data, what.size) == 0)
            return VIEW(in.data + i, in.size - i);
    return VIEW(NULL, 0);
}

void api_path_parse(struct api_path *out, struct view base, struct view path)
{
    struct view rest = path;
    *out = (struct api_path){0};
    if (str_equal_nocase(path, base)) {
        out->is_ours = true;
        return;
    }
    if (base.size > 1) {
        struct view from = find(path, base);
        if (from.data == NULL)
            return;
        rest = VIEW(from.data + base.size, from.size - base.size);
        if (rest.size > 0 && rest.data[0] != '/')
            return;
    }
    out->is_ours = true;
    while (rest.size > 0) {
        struct view part = str_split(&rest, '/');
        if (part.size == 0)
            continue;
        if (out->count == 2) {
            out->too_long = true;
            return;
        }
        out->parts[out->count++] = part;
    }
}

int64_t api_path_id(struct view part)
{
    uint64_t id = 0;
    size_t digits = 0;
    while (digits < part.size && part.data[digits] >= '0' && part.data[digits] <= '9')
        digits++;
    if (digits == 0 || !str_u64(VIEW(part.data, digits), &id) || id > INT64_MAX)
        return 0;
    return (int64_t)id;
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool api_query_value(struct view query, const char *name, char out[API_VALUE_MAX + 1])
{
    while (query.size > 0) {
        struct view value = str_split(&query, '&'), key = str_split(&value, '=');
        size_t size = 0;
        if (!str_equal(key, str_of(name)))
            continue;
        for (size_t i = 0; i < value.size; i++) {
            int c = value.data[i] == '+' ? ' ' : value.data[i];
            if (c == '%') {
                if (i + 2 >= value.size || hex(value.data[i + 1]) < 0 || hex(value.data[i + 2]) < 0)
                    return false;
                c = hex(value.data[i + 1]) * 16 + hex(value.data[i + 2]);
                i += 2;
            }
            if (c == 0 || size == API_VALUE_MAX)
                return false;
            out[size++] = (char)c;
        }
        out[size] = '\0';
        return utf8_is_valid(str_of(out));
    }
    return false;
}
