/* tests/unit/io/live_server.h - the io actor with its threads and sockets, and a control that sends every text back. */
#pragma once

#include <stdbool.h>

struct live;

/* Listens on free ports of 127.0.0.1: the first plain, the second with TLS. NULL: something failed. */
struct live *live_start(const char *cert_pem, const char *key_pem, const char *page);
bool live_stop(struct live *live);               /* true: everything ended in order */
int live_connect(struct live *live, unsigned listener);      /* a blocking socket */
