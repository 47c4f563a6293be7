/* Data channels (echotest.md 4): binary as it is, text behind a greeting. */
#include "base/str.h"
#include "plugins/echotest/echotest.h"

#define GREETING STR("Janus EchoTest here! You wrote: ")

static bool send(const struct echotest *echo, const struct echo_session *session, const struct data_message *message)
{
    return host_data_send(echo->host, session->handle, message) != ERR_FULL;
}

bool echo_data(void *plugin, void *state, const struct data_message *message)
{
    const struct echotest *echo = plugin;
    const struct echo_session *session = state;
    const size_t max = host_data_max(echo->host, session->handle);
    if (message->bytes.size == 0)
        return true;
    /* What would be too long for the client with the greeting comes back without it: better than nothing at all. */
    if (message->binary || message->bytes.size > max || max - message->bytes.size < GREETING.size)
        return send(echo, session, message);
    struct data_message answer = *message;
    struct buf text;
    buf_init(&text, GREETING.size + message->bytes.size + 1);
    buf_add_view(&text, GREETING);
    buf_add_view(&text, message->bytes);
    answer.bytes = buf_view(&text);
    const bool taken = send(echo, session, &answer);
    buf_fini(&text);
    return taken;
}
