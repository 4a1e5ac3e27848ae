/* What the init does with its privileges before it takes commands, and how it gives them up. */
#ifndef SANDPORT_PRIVILEGES_H
#define SANDPORT_PRIVILEGES_H

#include "init.h"

/*
 * Limits the tasks of everything in this sandbox with a pids cgroup of the guest kernel, and
 * covers the cgroup's mount so that the guest cannot reach it. Failures are logged.
 */
void limit_pids(uint64_t max);

/* Keeps only the capabilities that commands of root may have; sets no_new_privs. */
void drop_privileges(void);

/* Allows looking at where other users' processes stand, if the runtime gave us that. */
void look_into_processes(bool allowed);

#endif
