/* The event handlers that are built in. In a file of its own: the simulator and the tests have tables of theirs. */
#include "helpers/events/mqtt.h"
#include "helpers/events/nanomsg.h"
#include "helpers/events/sample.h"

const struct evhandler_desc *const evhandler_table[] = {
    &evhandler_sample,
    &evhandler_mqtt,
    &evhandler_nanomsg,
    NULL,
};
