/* control/record.h - recordings, as control knows them: who is recorded, and what to do when a disk can't. The file itself is the
 * worker's and the disk helper's affair. A recording belongs to its source and ends with it. */
#pragma once

#include "control/state.h"

void recordings_end(struct control *c, struct source *source);
/* What a disk helper or a worker says of one: a failure ends it, and its plugin is told. */
void fact_record_done(struct control *c, const struct record_done *fact);
