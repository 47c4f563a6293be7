#include "media/levels.h"

void levels_set(struct levels *levels, const struct level_window *window)
{
    if (levels->window.packets == window->packets && levels->window.average == window->average)
        return;
    levels->window = *window;
    levels->sum = levels->count = 0;
}

bool levels_input(struct levels *levels, uint8_t level)
{
    if (levels->window.packets == 0)
        return false;
    levels->sum += level;
    if (++levels->count < levels->window.packets)
        return false;
    levels->average = (double)levels->sum / levels->count;
    levels->sum = levels->count = 0;
    const bool talking = levels->average < levels->window.average;
    const bool changed = talking != levels->talking;
    levels->talking = talking;
    return changed;
}
