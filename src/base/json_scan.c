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
