/* base/limits.h - the named limits of everything that a stranger can raise (design section 10): how far, and what happens
 * there. One list; a limit that only one module's own header can explain stays in that header. */
#pragma once

/* -- requests (control/api_parse) ---------------------------------------------------------------------------------------- */
#define DOCUMENTS_PER_TEXT_MAX   256u       /* JSON documents in one WebSocket message; more: the text is answered by one 454 */
#define VALUES_PER_TEXT_MAX      50000u     /* JSON values in one text, about; more: one 454 before any of it is parsed */
#define MEMBERS_PER_OBJECT_MAX   1024u      /* names in one JSON object: the same. jansson's hash is seeded, and no proof against collisions */
#define DOCUMENTS_PER_TURN       64u        /* processed in one turn of control; the rest wait for the next, clients in turn */
#define DOCUMENTS_AT_ONCE        8u         /* of them as they come; what follows waits for the end of the turn */
#define PARSE_BYTES_PER_TURN     131072u    /* of texts; one that is longer has a turn of its own, or what is left of one */
#define TEXT_BYTES_SHORT         32768u     /* a longer one waits for its turn among the long ones, one a turn */
#define TEXT_BYTES_MAX           (16u * 1024u * 1024u)    /* of one reply or event; a longer reply becomes error 490 */
#define OPAQUE_ID_BYTES_MAX      1024u      /* attach: longer ones get 467 */

/* -- sessions and handles (control) --------------------------------------------------------------------------------------- */
#define CLIENTS_MAX              131072u    /* connections that have sessions or waiting requests; over it: 490 */
#define SESSIONS_MAX             131072u    /* create over it: 490 "Memory error" */
#define SESSIONS_PER_CLIENT_MAX  16384u     /* of one connection; create and claim over it: the same */
#define HANDLES_MAX              131072u    /* attach over it: 490 "Memory error" */
#define HANDLES_PER_SESSION_MAX  4096u      /* the same */
#define OPS_MAX                  16384u     /* requests that wait for an operation, or behind one; over it: the plugin's error, or 490 */
#define OPS_PER_HANDLE_MAX       32u        /* the same, of one handle */
#define ADMIN_WAITS_MAX          256u       /* requests of the Admin API that wait for another actor; over it: 490 */
#define TOKENS_MAX               100000u    /* stored ones; add_token over it: 490 */
#define TOKEN_BYTES_MAX          1024u      /* of one; the same */
#define SAVES_UNASKED_MAX        16u        /* files being saved that no request waits for; over it: what is asked for is not made permanent */
#define OPS_TIMED_OUT_PER_TURN   64u
#define HANDLES_CLOSED_PER_TURN  64u        /* of sessions that end; the rest in the next turns */
#define SESSIONS_EXPIRED_PER_TURN 64u

/* -- PeerConnections (control) --------------------------------------------------------------------------------------------- */
#define PEERS_PER_WORKER_MAX     65536u     /* over it: the SDP is refused */
#define SOURCES_MAX              262144u    /* media lines received, and sent: names in all workers together */
#define RECORDINGS_MAX           4096u      /* of one worker, and of control; over it: not recorded, and counted */
#define RECORD_BYTES_ON_WAY_MAX  67108864u  /* chunks of one worker that disks have not written yet; over it: frames are left out */
#define SINKS_MAX                1048576u
#define REMOTE_CANDIDATES_MAX    32u        /* of one PeerConnection and ICE generation; more are dropped and counted */

/* -- data channels (webrtc.md 19) -------------------------------------------------------------------------------------------- */
#define PLAINS_MAX               16384u     /* sockets of plain RTP in all workers; over it: the request's own error */
#define FORWARDS_MAX             65536u
#define DATA_LABEL_MAX           255u       /* bytes of a label that are kept; host_data_send over it: ERR_INVALID */
#define DATA_PROTOCOL_MAX        255u       /* the same, of a subprotocol */
#define DATA_MESSAGE_DEFAULT     262144u    /* a=max-message-size: one message from a client; a setting changes it */
#define DATA_MESSAGE_MIN         1024u      /* the setting's other end */
#define DATA_MESSAGE_LIMIT       (64u * 1024u * 1024u)    /* the setting's end */
#define DATA_COST_EXTRA          256u       /* what a message costs in the windows below, beside its bytes: tiny ones are bounded too */
#define DATA_IN_WINDOW           (512u * 1024u)     /* told to control and not done with; then nothing more is read from the client */
#define DATA_OUT_WINDOW          (512u * 1024u)     /* sent by a plugin and not taken by SCTP yet; then host_data_send: ERR_FULL */
#define DATA_TAKEN_STEP          (64u * 1024u)      /* the worker tells what SCTP has taken when it has come to so much */
#define DATA_CAST_SIZE            256u       /* receivers of one message in one call of host_data_send_all */
#define DATA_RELAY_WINDOW        (512u * 1024u)     /* of one source, sent to another worker and not done with there; then it waits */
#define DATA_OUTBOX_FULL         (256u * 1024u)     /* of one receiver in the graph, beyond SCTP's own buffer; then its sources wait ... */
#define DATA_OUTBOX_MAX          (4096u * 1024u)     /* ... and beyond this it loses messages */
#define DATA_PATIENCE_US         3000000u   /* sources wait that long for a full receiver; then it alone loses messages, until it has caught up */
#define DATA_MEMORY_PER_WORKER   (1024u * 1024u * 1024u)  /* SCTP's queues of all associations; then what comes is dropped, and sent again */
