/* control/caller.h - a client's connection, as control remembers it: the sessions it owns and the documents of its texts
 * that wait for a later turn. Documents of one client are processed in order; clients take turns. */
#pragma once

#include "control/api_parse.h"
#include "control/state.h"

/* What one text of a client owes: its credit goes back when all its documents have been answered. Made when the first of them
 * has to wait for an operation; until then the end of the text is enough. */
struct credit {
    struct ref client;
    uint32_t open;                      /* documents that wait, and 1 while the text is being worked on */
};
/* For a document of the text in hand that has to wait. */
struct credit *credit_take(struct control *c, struct ref client);
void credit_put(struct control *c, struct credit *credit);

struct caller *caller_find(const struct control *c, struct ref client);
/* Makes it when there is none, for the client whose request is in hand; NULL: at CLIENTS_MAX. */
struct caller *caller_get(struct control *c, struct ref client, enum json_layout layout);
/* Frees one that owns nothing and waits for nothing. */
void caller_settle(struct control *c, struct caller *caller);

/* A whole text (CLIENT_REQUEST) has come. The first few of a turn are answered at once if they are short and nobody waits; the
 * others wait for callers_serve, where clients take turns. */
void caller_text(struct control *c, const struct message *m);
bool callers_wait(const struct control *c);
/* What was left over from earlier turns, within this turn's budget. */
void callers_serve(struct control *c);
/* The connection has ended: what waits is dropped, its sessions end or wait for a claim. */
void caller_gone(struct control *c, struct ref client);
/* At the end of the process. */
void callers_drop(struct control *c);
