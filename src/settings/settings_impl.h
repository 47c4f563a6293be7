/* settings/settings_impl.h - what the files of this folder share. Nobody else includes it. */
#pragma once

#include "settings/settings.h"

/* Defaults, then what the tree says. Texts point into the tree. False: a combination that must not start (noted as fatal). */
bool settings_read(struct settings *settings, const struct conf_node *root);
/* One note for each key that is known, set to something else than its default, and without effect here. */
void settings_note_unbuilt(struct settings *settings, const struct conf_node *root);
/* A copy that lives as long as the settings. */
const char *settings_keep(struct settings *settings, struct view text);
