/* load/proc.h - what a process costs, from /proc. A pid of 0, or a process that is gone, gives zeros. */
#pragma once

#include "base/types.h"

struct proc_sample {
    usec_t cpu_us;              /* user and system, threads that have ended included; in steps of 10 ms */
    usec_t run_us;              /* of the threads that live, exact */
    uint64_t rss_bytes;
    uint64_t anon_bytes;        /* of it: heap and stacks, no files */
    uint32_t threads;
    uint32_t descriptors;
    uint32_t udp_sockets;
};

void proc_sample(struct proc_sample *out, int pid);
bool proc_is_alive(int pid);
/* Soft limit of descriptors up to the hard one: its value. */
uint64_t proc_raise_descriptors(void);
