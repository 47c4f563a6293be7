/* A request while it is worked on: its answer's text, its errors, its fields. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/videoroom/videoroom.h"

#define DELAY_MAX 4095              /* 12 bits of the playout-delay extension */

enum vr_error vr_fail(struct vr_call *call, enum vr_error code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(call->error, sizeof(call->error), format, args);
    va_end(args);
    return code;
}

void vr_call_begin(struct vr_call *call)
{
    buf_init(&call->text, VR_EVENT_BYTES);
    jout_begin(&call->j, &call->text, LAYOUT_COMPACT);
    jout_object(&call->j, NULL);
}

void vr_call_end(struct vr_call *call)
{
    buf_fini(&call->text);
}

/* What has been written so far is thrown away: an error is all that is said. */
void vr_write_error(struct vr_call *call, enum vr_error error, const char *text)
{
    buf_clear(&call->text);
    jout_begin(&call->j, &call->text, LAYOUT_COMPACT);
    jout_object(&call->j, NULL);
    jout_string(&call->j, "videoroom", "event");
    jout_int(&call->j, "error_code", error);
    jout_string(&call->j, "error", text);
}

void vr_reply(struct vr_call *call, const struct jsep_out *jsep, enum err *sent)
{
    jout_end(&call->j);
    if (call->text.failed && jsep != NULL) {
        *sent = ERR_FULL;               /* no description without its event: the caller says so */
        return;
    }
    if (call->text.failed) {            /* longer than VR_EVENT_BYTES: an answer all the same */
        vr_write_error(call, VR_UNKNOWN, "The answer is too long");
        jout_end(&call->j);
    }
    enum err err = host_event(call->vr->host, call->request->handle, call->request->transaction, buf_view(&call->text), jsep);
    call->replied = true;
    if (sent != NULL)
        *sent = err;
}

enum vr_error vr_check_fields(struct vr_call *call, const struct schema_field *fields, size_t count, const json_t *object)
{
    char text[SCHEMA_TEXT];
    switch (schema_check(fields, count, object, text)) {
    case SCHEMA_FINE: return VR_OK;
    case SCHEMA_MISSING: return vr_fail(call, VR_MISSING, "%s", text);
    case SCHEMA_WRONG: return vr_fail(call, VR_INVALID_ELEMENT, "%s", text);
    }
    return VR_OK;
}

enum vr_error vr_check_secret(struct vr_call *call, const char *name, const char *expected)
{
    const struct schema_field field = {name, SCHEMA_STRING, true};
    if (expected == NULL)
        return VR_OK;
    enum vr_error error = vr_check_fields(call, &field, 1, call->body);
    if (error != VR_OK)
        return error;
    if (!str_equal_secret(str_of(vr_text(call->body, name)), str_of(expected)))
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized (wrong %s)", name);
    return VR_OK;
}

enum vr_error vr_check_admin_key(struct vr_call *call)
{
    enum vr_error error = vr_check_secret(call, "admin_key", call->vr->admin_key);
    if (error == VR_OK && call->vr->admin_key_closed)
        return vr_fail(call, VR_UNAUTHORIZED, "Unauthorized (wrong admin_key)");
    return error;
}

uint32_t vr_u32(const json_t *object, const char *name, uint32_t fallback)
{
    int64_t v = vr_int(object, name, fallback);
    return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

uint16_t vr_u16(const json_t *object, const char *name, uint16_t fallback)
{
    uint32_t v = vr_u32(object, name, fallback);
    return v > UINT16_MAX ? UINT16_MAX : (uint16_t)v;
}

static int16_t clamp_delay(int64_t v)
{
    return v < 0 ? -1 : v > DELAY_MAX ? DELAY_MAX : (int16_t)v;
}

/* Units of 10 ms (videoroom.md 9.2): a negative one resets both, setting one drags the other so that min <= max. */
void vr_set_delays(const json_t *object, int16_t *min_delay, int16_t *max_delay)
{
    if (json_is_integer(json_object_get(object, "min_delay"))) {
        *min_delay = clamp_delay(vr_int(object, "min_delay", -1));
        if (*min_delay < 0)
            *max_delay = -1;
        else if (*max_delay < *min_delay)
            *max_delay = *min_delay;
    }
    if (json_is_integer(json_object_get(object, "max_delay"))) {
        *max_delay = clamp_delay(vr_int(object, "max_delay", -1));
        if (*max_delay < 0)
            *min_delay = -1;
        else if (*min_delay < 0 || *min_delay > *max_delay)
            *min_delay = *max_delay;
    }
}
