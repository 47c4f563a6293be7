/* plugins/videoroom/requests.h - the functions behind the request tables, and what they share. */
#pragma once

#include "plugins/videoroom/videoroom.h"

#define VR_PACKAGE "janus.plugin.videoroom"

/* What a list of stream entries asks for, checked and resolved: publishers' streams with the targets for each. */
struct vr_feed_item {
    struct vr_pub_stream *stream;
    const json_t *entry;            /* borrowed from the request; NULL in legacy mode */
    bool by_mid;                    /* the entry named this stream alone */
};

struct vr_feeds {
    struct vr_feed_item *items;
    uint32_t count;
    bool empty_handed;              /* a list was given and named nothing that can be subscribed to */
};

/* req_join.c */
vr_request_fn vr_req_join, vr_req_joinandconfigure;
enum vr_error vr_check_descriptions(struct vr_call *call, const struct vr_participant *p);      /* NULL: it has no streams yet */
enum vr_error vr_check_name(struct vr_call *call);
void vr_set_metadata(struct vr_participant *p, const json_t *metadata);
enum vr_error vr_force_codecs(struct vr_call *call, struct vr_participant *p, const struct vr_room *room);

/* feeds.c: `streams` of a subscriber's join, `subscribe` and `update` (videoroom.md 10.1, 10.5). */
enum vr_error vr_feeds_of_join(struct vr_call *call, struct vr_room *room, struct vr_feeds *out, struct vr_participant **legacy);
enum vr_error vr_feeds_of_list(struct vr_call *call, struct vr_subscriber *s, const json_t *list, struct vr_feeds *out);
/* Adds them to the subscription; the number of m-lines touched. `update`: inactive lines are used again, disabled streams skipped. */
uint32_t vr_feeds_add(struct videoroom *vr, struct vr_subscriber *s, const struct vr_feeds *feeds, bool update);
void vr_feeds_free(struct vr_feeds *feeds);
/* Layer targets within range, else 430. */
enum vr_error vr_check_layers(struct vr_call *call, const json_t *entry);

/* req_forward.c, and what is shared with publishing elsewhere */
vr_request_fn vr_req_rtp_forward, vr_req_stop_rtp_forward, vr_req_listforwarders;
enum vr_error vr_check_forward_key(struct vr_call *call);       /* with lock_rtp_forward */
enum vr_error vr_family_of(struct vr_call *call, const json_t *object, enum net_family *out);
enum vr_error vr_srtp_of(struct vr_call *call, struct srtp_master *out, bool *fine);
enum vr_error vr_feed_of(struct vr_call *call, const struct vr_room *room, const struct vr_id *id, struct vr_participant **out);

/* req_remote.c, req_remotize.c: publishers of other servers here, ours on other servers */
vr_request_fn vr_req_add_remote_publisher, vr_req_update_remote_publisher, vr_req_remove_remote_publisher;
vr_request_fn vr_req_publish_remotely, vr_req_unpublish_remotely, vr_req_listremotes;

/* list.c: the answer to `list`; `all`: private rooms too. */
enum vr_error vr_list_rooms(struct vr_call *call, bool all);

/* permanent.c */
enum vr_error vr_check_permanent(struct vr_call *call, const char *what);      /* 499 without a configuration file */
/* The answer to create, edit and destroy; with `permanent` it waits for the configuration file. `gone`: the room is no more. */
enum vr_error vr_answer_room(struct vr_call *call, const char *what, const struct vr_room *room, bool gone);

/* req_switch.c */
vr_request_fn vr_req_switch;
