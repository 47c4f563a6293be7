/* io/limits.h - what a stranger can raise on the transports' side, and how far. */
#pragma once

#include "base/types.h"

#define IO_CREDITS            64u                       /* requests of one client that control hasn't finished, or whose
                                                           replies wait in its queue: past it its socket isn't read */
#define IO_REQUEST_BYTES_STOP (1024u * 1024u)           /* of those requests' texts, at control: past it the same */
#define IO_TEXT_BYTES_MAX     (1024u * 1024u)           /* one request text: past it 1009 */
#define IO_PARTIAL_BYTES_MAX  (128u * 1024u * 1024u)    /* texts that aren't whole yet, of all clients together: past it those
                                                           that bring another long one are closed */
#define IO_PARTIAL_BYTES_FREE 65536u                    /* what each may have of it in any case */
#define IO_EVENT_BYTES_MAX    (4u * 1024u * 1024u)      /* events waiting for one client (design rule 3): past it it is closed */
#define IO_EVENTS_MAX         2000u
#define IO_REPLY_BYTES_STOP   (256u * 1024u)            /* replies waiting: past it no further request is taken */
#define IO_REPLY_BYTES_MAX    (64u * 1024u * 1024u)     /* replies waiting: past it the client is closed */
#define IO_QUEUED_BYTES_MAX   (512u * 1024u * 1024u)    /* replies and events waiting, of all clients together: past it those
                                                           that would get more are closed */
#define IO_QUEUED_BYTES_FREE  (256u * 1024u)            /* what each may have of it in any case */

#define IO_READ_BYTES         32768u                    /* of one client in one turn; what is held back is at most this and a record */
#define IO_WRITE_BYTES        (256u * 1024u)            /* to one client in one turn */
#define IO_GATHER_BYTES       65536u                    /* small texts that leave in one system call */
#define IO_COPY_BYTES         4096u                     /* longer texts are queued in the block they came in */
#define IO_TLS_PER_TURN       4u                        /* reads of connections in their TLS handshake: 0.4 ms of CPU each */
#define IO_ACCEPTS_PER_TURN   64u
#define IO_SETTLES_PER_TURN   8u                        /* answers and next requests of one client in one turn */

#define IO_FIRST_REQUEST_US   SEC(10)                   /* from the connection to the end of its first head, TLS included */
#define IO_HEAD_US            SEC(10)                   /* from a later head's first byte to its end */
#define IO_KEEP_ALIVE_US      SEC(60)                   /* between requests */
#define IO_PARTIAL_US         SEC(60)                   /* from a message's first byte to its last */
#define IO_STALL_US           SEC(60)                   /* output waits and none of it goes */
#define IO_CLOSE_US           SEC(10)                   /* from the decision to close until what is queued has left */
#define IO_LINGER_US          SEC(2)                    /* then, for the peer to close its side */
#define IO_TAIL_US            SEC(2)                    /* for the log's last lines, which their actor may owe to a slow disk */
#define IO_HEALTH_US          SEC(5)                    /* main's last word on the actors' health is good for so long */
#define IO_STOP_US            SEC(2)                    /* at shutdown, for all of it */
#define IO_ACCEPT_PAUSE_US    MSEC(200)                 /* when no descriptor is left (traps.md) */
#define IO_ACCEPT_LOG_US      SEC(60)                   /* that it happened is said once in this time */

/* Pings when the configuration gives none: what the reference's library does (transports.md 3.2). */
#define IO_PING_TRIGGER_US    SEC(300)
#define IO_PING_TIMEOUT_US    SEC(10)

#define IO_CLIENTS_MAX        100000u
#define IO_DESCRIPTORS_KEPT   128u                      /* of the descriptor limit, for all that isn't a client */
#define IO_LISTENERS_MAX      10u                       /* ws, wss, http, https, a Unix socket, and the same for the Admin API */

#define IO_DATAGRAM_PEERS_MAX 4096u                     /* paths that have sent datagrams: past it the longest silent is gone */
#define IO_DATAGRAMS_PER_TURN 64u
#define IO_PACKETS_PER_TURN   64u                       /* to one client */
#define IO_DATAGRAM_RETRY_US  MSEC(10)                  /* to one whose queue was full */

#define IO_QUEUES_MAX         100000u                   /* sessions that are driven over HTTP */
#define IO_POLL_US            SEC(30)                   /* a poll waits so long for an event (transports.md 2.6) */
#define IO_POLL_EVENTS_MAX    1000u                     /* more are not given to one poll, whatever its maxev */

#define SITE_FILES_MAX        4096u
#define SITE_BYTES_MAX        (64u * 1024u * 1024u)
#define SITE_FILE_BYTES_MAX   (16u * 1024u * 1024u)
#define SITE_DEPTH_MAX        16u
#define SITE_PATH_MAX         512u                      /* of a file's path on the site, and of a decoded request path */
