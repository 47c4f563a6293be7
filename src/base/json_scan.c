#include "base/json_scan.h"

bool json_has_more_values(struct view text, uint32_t max)
{
    uint32_t count = 0;
    bool in_string = false;
    if (text.size <= max)
        return false;
    for (size_t i = 0; i < text.size && count <= max; i++) {
        uint8_t c = text.data[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == ',' || c == '{' || c == '['))
            count++;
    }
    return count > max;
}

#define NAME_BYTES_MIN 4u       /* "":0 */

/* Brackets of arrays need no count: between two levels of objects they change nothing. */
bool json_has_more_names(struct view text, uint32_t max)
{
    uint32_t names[JSON_SCAN_DEPTH] = {0}, depth = 0;
    bool in_string = false, has_more = false;
    if (text.size <= max * NAME_BYTES_MIN)
        return false;
    for (size_t i = 0; i < text.size && !has_more; i++) {
        const uint8_t c = text.data[i];
        const uint32_t level = depth < JSON_SCAN_DEPTH ? depth : JSON_SCAN_DEPTH - 1;
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '{' && ++depth < JSON_SCAN_DEPTH)
            names[depth] = 0;
        else if (c == '}')
            depth -= depth > 0;
        else if (c == ':')
            has_more = ++names[level] > max;
    }
    return has_more;
}
