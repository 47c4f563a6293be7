/* proto/sdp/sdp.h - a session description (RFC 8866) in memory: parse it, look at it, change it, write it.
 *
 * A struct sdp owns all that it shows: the copied text, the lines, and what is added later. Text handed in is copied, so
 * it need not outlive the call; views taken out live as long as the sdp. sdp_free gives everything back at once, and so
 * nothing that was removed is freed earlier. Owner: whoever parsed or made it; one actor.
 *
 * Fields may be read and written directly (port, direction, proto, name ...); a view put into one must come from sdp_text
 * or outlive the sdp. Attribute order is kept. Past a limit a change does nothing and `failed` sticks; sdp_write says so.
 * Knows nothing about rooms, peers or transports: that is control/negotiate. Making answers and offers: offer_answer.h. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "base/types.h"

/* What a stranger may make us hold. io refuses longer texts than this long before. 128 m-lines of a browser that offers
 * every codec it has are about 16,000 lines. */
#define SDP_TEXT_BYTES_MAX  (1024u * 1024u)
#define SDP_LINES_MAX       24000u         /* non-empty lines of a text; also attributes held by one sdp */
#define SDP_MLINES_MAX      128u
#define SDP_MLINE_CHARS_MAX 200u           /* webrtc.md 1.1 */
#define SDP_PTS_MAX         128u           /* 7 bits: RFC 3550 5.1 */
#define SDP_REASON_ROOM     512u           /* an error text and its NUL; longer ones are cut */

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION };

/* Bit 0: sends; bit 1: receives; seen from whoever wrote the description. */
enum sdp_direction { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };

/* `a=name` has an empty value, `a=name:value` never has. */
struct sdp_attr {
    struct sdp_attr *next;
    struct view name;
    struct view value;
};

struct sdp_attrs {
    struct sdp_attr *first;
    struct sdp_attr *last;
};

/* `c=IN IP4 1.1.1.1`; without a c= line the address is empty. */
struct sdp_connection {
    struct view address;
    bool is_ip6;
};

struct sdp_mline {
    enum sdp_kind kind;
    enum sdp_direction direction;         /* sendrecv where the text says nothing (RFC 8866 6.7) */
    uint16_t port;                        /* 0: rejected */
    uint16_t index;
    struct view proto;                    /* "UDP/TLS/RTP/SAVPF" */
    struct view formats;                  /* application only: what follows the protocol, as it stands */
    uint8_t pt_count;
    uint8_t pts[SDP_PTS_MAX];             /* audio and video: each once, in order */
    struct sdp_connection connection;
    struct view bandwidth_type;           /* "AS" or "TIAS"; empty: no b= line */
    uint32_t bandwidth;
    struct sdp_attrs attrs;               /* without the direction */
};

struct sdp {
    struct view origin_name;
    uint64_t origin_id;
    uint64_t origin_version;
    struct sdp_connection origin;         /* address of o= */
    struct view session_name;             /* s= */
    uint64_t time_start;
    uint64_t time_stop;
    struct sdp_connection connection;     /* session level c= */
    struct sdp_attrs attrs;               /* session level */
    uint16_t mline_count;
    struct sdp_mline *mlines[SDP_MLINES_MAX];
    uint32_t attr_count;
    bool failed;
    struct sdp_chunk *chunks;             /* the memory, newest first (memory.c) */
};

/* NULL when the text breaks the grammar or a limit; `reason` is then the text of API error 465 (webrtc.md 1.1),
 * which may be empty. Otherwise the caller sdp_frees the result. */
struct sdp *sdp_parse(struct view text, char reason[SDP_REASON_ROOM]);

/* An empty one: `o=- 0 0 IN IP4 1.1.1.1`, `s=-`, `t=0 0`, no m-lines. */
struct sdp *sdp_new(void);
void        sdp_free(struct sdp *sdp);               /* NULL is fine */

/* Appends the text, CRLF after each line: v o s t [c] attributes, then per medium m [c] [b] direction attributes.
 * False when the sdp or the buffer has failed. */
bool sdp_write(const struct sdp *sdp, struct buf *out);

void sdp_attr_write(const struct sdp_attr *attr, struct buf *out);   /* "a=name:value" and CRLF */

/* Cuts the next run of non-blanks off `rest`; empty at the end. How every line of SDP is read. */
static inline struct view sdp_field(struct view *rest)
{
    *rest = str_trim(*rest);
    return str_split(rest, ' ');
}

/* A copy that lives as long as the sdp. */
struct view sdp_text(struct sdp *sdp, struct view text);
struct view sdp_textf(struct sdp *sdp, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* NULL at the limit (and sdp->failed). Port 9, sendrecv, `c=IN IP4 1.1.1.1`, nothing else. */
struct sdp_mline *sdp_mline_add(struct sdp *sdp, enum sdp_kind kind, struct view proto);
void              sdp_mline_add_pt(struct sdp_mline *mline, uint8_t pt);          /* at the end, unless it is there */
void              sdp_mline_del_pt(struct sdp_mline *mline, uint8_t pt);          /* the number only, not its attributes */
/* Port 0, inactive, no attributes but a=mid; the only PT is 0; an application line keeps its formats. */
void              sdp_mline_reject(struct sdp_mline *mline);

/* First line of that media type, or NULL. */
struct sdp_mline *sdp_mline_first(const struct sdp *sdp, enum sdp_kind kind);

/* The first one called `name`, or the next one after `attr`; NULL when there is none. Names are case-sensitive. */
struct sdp_attr *sdp_attr_find(const struct sdp_attrs *attrs, struct view name);
struct sdp_attr *sdp_attr_find_next(const struct sdp_attr *attr, struct view name);
/* Value of the first one called `name`; empty when there is none or it is a bare flag. */
struct view      sdp_attr_value(const struct sdp_attrs *attrs, struct view name);

/* An empty value writes the bare flag. Line breaks in either end the text there. */
void sdp_attr_add(struct sdp *sdp, struct sdp_attrs *attrs, struct view name, struct view value);
void sdp_attr_addf(struct sdp *sdp, struct sdp_attrs *attrs, struct view name, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Removes every attribute for which `drop` says true. */
void sdp_attrs_filter(struct sdp_attrs *attrs, bool (*drop)(const struct sdp_attr *attr, const void *context), const void *context);
void sdp_attrs_remove(struct sdp_attrs *attrs, struct view name);

const char *sdp_kind_name(enum sdp_kind kind);                 /* "audio", "video", "application" */
const char *sdp_direction_name(enum sdp_direction direction);  /* "sendrecv" ... */
bool        sdp_direction_parse(enum sdp_direction *out, struct view name);

/* The same line seen from the other end: sendonly <-> recvonly. */
static inline enum sdp_direction sdp_direction_mirror(enum sdp_direction d)
{
    return (enum sdp_direction)(((unsigned)d & 1u) << 1 | ((unsigned)d & 2u) >> 1);
}

static inline bool sdp_direction_sends(enum sdp_direction d)
{
    return ((unsigned)d & 1u) != 0;
}

static inline bool sdp_direction_receives(enum sdp_direction d)
{
    return ((unsigned)d & 2u) != 0;
}
