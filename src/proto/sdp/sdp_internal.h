/* proto/sdp/sdp_internal.h - for this folder only: the memory of one sdp, which only grows and goes all at once (how much a
 * stranger can make it grow is bounded by the limits of sdp.h), and what offers and answers have in common. */
#pragma once

#include <stdarg.h>

#include "proto/sdp/offer_answer.h"
#include "proto/sdp/sdp.h"

/* Aligned for any object; contents undefined; never NULL. */
void *sdp_get(struct sdp *sdp, size_t size);

struct view sdp_textv(struct sdp *sdp, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* An attribute whose texts already live as long as the sdp; false at the limit. */
bool sdp_attr_append(struct sdp *sdp, struct sdp_attrs *attrs, struct view name, struct view value);

/* ---- what offers and answers write alike (offer_answer.c) ---- */

void sdp_add_rtpmap(struct sdp *sdp, struct sdp_mline *mline, uint8_t pt, struct view rtpmap);
void sdp_add_feedback(struct sdp *sdp, struct sdp_mline *mline, uint8_t pt, bool transport_cc);
/* `red` carries `pt` twice: the block before and the present one (RFC 2198 5). */
void sdp_add_red_fmtp(struct sdp *sdp, struct sdp_mline *mline, uint8_t red, uint8_t pt);
/* The profile's fmtp if the codec has profiles and one is asked for, else `fmtp`; nothing when both are empty. */
void sdp_add_fmtp(struct sdp *sdp, struct sdp_mline *mline, uint8_t pt, enum codec codec, struct view profile, struct view fmtp);
void sdp_add_text(struct sdp *sdp, struct sdp_mline *mline, struct view name, struct view value);   /* unless it is empty */
