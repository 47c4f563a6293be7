#include "media/media.h"

#include "media/data_source.h"
#include "media/history.h"
#include "media/sink.h"
#include "media/source.h"

void media_init(struct media *media, const struct media_limits *limits)
{
    *media = (struct media){0};
    pool_init(&media->sources, "sources", sizeof(struct source), limits->sources);
    pool_init(&media->sinks, "sinks", sizeof(struct sink), limits->sinks);
    pool_init(&media->packets, "packets", sizeof(struct kept_packet), limits->packets);
    pool_init(&media->rings, "history rings", sizeof(struct history_ring), limits->sources * LAYERS_MAX);
    pool_init(&media->maps, "sink maps", sizeof(struct sink_map), limits->sinks);
    pool_init(&media->data_sources, "data sources", sizeof(struct data_source), limits->sources);
    pool_init(&media->data_sinks, "data sinks", sizeof(struct data_sink), limits->sinks);
    list_init(&media->keyframes);
    list_init(&media->holding);
    list_init(&media->orphans);
    list_init(&media->layers);
    list_init(&media->talkers);
    list_init(&media->data_freed);
    list_init(&media->data_orphans);
}

void media_fini(struct media *media)
{
    pool_fini(&media->data_sinks);
    pool_fini(&media->data_sources);
    pool_fini(&media->maps);
    pool_fini(&media->rings);
    pool_fini(&media->packets);
    pool_fini(&media->sinks);
    pool_fini(&media->sources);
}
