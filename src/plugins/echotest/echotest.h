/* plugins/echotest/echotest.h - the inside of the EchoTest plugin (echotest.md): what a client sends comes back to it. */
#pragma once

#include "plugins/plugin.h"
#include "proto/sdp/offer_answer.h"

#define ECHO_ERROR_NO_MESSAGE  411      /* echotest.md 2.3 */
#define ECHO_ERROR_JSON        412
#define ECHO_ERROR_ELEMENT     413
#define ECHO_ERROR_SDP         414
#define ECHO_EVENT_BYTES       4096u
#define ECHO_NAME_BYTES        1024u    /* of a recording, its folder included */

struct echotest {
    struct host *host;
    bool events;                        /* event handlers are told */
};

/* One m-line that is echoed. */
struct echo_line {
    struct ref sink;                    /* REF_NONE: nothing goes back */
    struct ref source;
    uint8_t kind;                       /* enum media_kind */
    bool video;
    bool simulcast;
    bool svc;                           /* its layers come in one stream */
    uint8_t pt;
    uint8_t red_pt;                 /* 0: none */
    char fmtp[128];                     /* of video, as it was answered; "": none, or longer than anybody's */
};

struct echo_recording {
    struct ref ref;                     /* REF_NONE: none, or it has failed */
    char *name;
};

struct echo_session {
    struct ref handle;
    bool audio_active;
    bool video_active;
    uint32_t bitrate_bps;
    bool e2ee;
    bool svc;
    uint8_t substream_target;
    uint8_t temporal_target;
    uint8_t spatial_layer_target;
    uint8_t temporal_layer_target;
    uint32_t fallback_us;
    int16_t min_delay;
    int16_t max_delay;
    int8_t substream;                   /* relayed now; -1: nothing yet */
    int8_t temporal;
    int8_t spatial_layer;               /* the same of SVC */
    int8_t temporal_layer;
    bool has_simulcast;
    uint16_t simulcast_mindex;
    enum codec audio_codec;
    enum codec video_codec;
    uint32_t slowlink_count;
    uint16_t line_count;
    struct echo_line *lines;            /* by m-line index */
    struct echo_recording recordings[MEDIA_DATA + 1];      /* by enum media_kind */
};

/* answer.c: the SDP answer to an offer. NULL, and `reason`, when the offer can't be parsed; the caller frees it.
 * accepted[] has a place for each of the answer's m-lines. */
struct sdp *echo_answer(const struct plugin_request *request, struct sdp_accepted accepted[SDP_MLINES_MAX], char reason[SDP_REASON_ROOM]);

/* data.c: messages of data channels come back on the channel that they came on. False: the client has not taken the last ones. */
bool echo_data(void *plugin, void *state, const struct data_message *message);

/* media.c: the media graph of a session. */
void echo_wire(struct echotest *echo, struct echo_session *session, const struct sdp *answer, const struct sdp_accepted *accepted);
void echo_apply(struct echotest *echo, struct echo_session *session);       /* options of all sinks */
void echo_cap(struct echotest *echo, struct echo_session *session, bool now);
void echo_keyframe(struct echotest *echo, struct echo_session *session);
void echo_unwire(struct echo_session *session);

/* record.c. `filename` NULL: a name of our own. What is recorded already goes on. */
void echo_record_start(struct echotest *echo, struct echo_session *session, const char *filename);
void echo_record_stop(struct echotest *echo, struct echo_session *session);
void echo_record_failed(void *plugin, void *state, struct ref recording, const char *why);
