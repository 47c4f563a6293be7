/* media/recorder.h - the port of a recording: what its sink sends becomes frames of an .mjr file (proto/mjr), gathered in a chunk until
 * somebody takes it to a disk. The sink in front of it chooses the best layer, begins with a keyframe, and numbers from 1 with
 * time from 0: just what recording.md 2.1 asks for, pauses and new SSRCs included. Owner: the recording's worker; never waits.
 *
 *   recorder_init -> sink_set_port(sink, &recorder.port, ...) -> packets -> recorder_is_due? recorder_taken -> recorder_fini
 * For a data line: data_sink_new(..., &recorder.data_port, ...); each message is a frame that begins with the wall clock.
 *
 * A chunk that nobody takes fills up; then the port is not ready, packets are left out, and the sink goes on with the next keyframe
 * once there is room: the gap shows in sequence numbers and times. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "media/data_source.h"
#include "media/media_types.h"
#include "media/port.h"
#include "proto/mjr/mjr.h"
#include "proto/rtp/ext_types.h"

#define RECORDER_CHUNK_DUE 65536u           /* bytes: worth a write */
#define RECORDER_CHUNK_MAX 1048576u         /* bytes kept when no write can be had; a replay needs some too */
#define RECORDER_EVERY_US  SEC(1)           /* what has been kept for so long is worth a write too */

/* Ids of the extensions that a recording keeps: any, as long as the header names them (recording.md 1.1, `x`). */
#define RECORDER_ORIENTATION_ID 4u
#define RECORDER_ORIENTATION_URI "urn:3gpp:video-orientation"

struct recorder {
    struct port port;                       /* first: the sink's way to us */
    struct data_port data_port;             /* a data sink's */
    struct mjr_info info;
    uint32_t ssrc;
    bool begun;                             /* header and first frame have been written */
    usec_t created_at;
    usec_t first_at;
    usec_t oldest_at;                       /* of what the chunk holds; USEC_NEVER: it is empty */
    uint64_t frames;
    uint64_t dropped;                       /* could not be a frame: too long; messages that had no room */
    struct buf chunk;
};

/* `info` and its texts: created_us is set by the caller, first_us here; the texts outlive the recorder. */
void recorder_init(struct recorder *recorder, const struct mjr_info *info, uint32_t ssrc, usec_t now);
void recorder_fini(struct recorder *recorder);

usec_t recorder_deadline(const struct recorder *recorder);          /* when the chunk is due by age; USEC_NEVER */
bool recorder_is_due(const struct recorder *recorder, usec_t now);  /* its chunk is worth a write */
bool recorder_is_full(const struct recorder *recorder);
/* The chunk has been copied elsewhere: begins a new one. */
void recorder_taken(struct recorder *recorder);
