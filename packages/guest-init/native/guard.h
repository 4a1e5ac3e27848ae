/*
 * The memory guard: where the host's OOM killer would end the whole sandbox, the init kills the
 * largest process of the guest before it comes to that.
 */
#ifndef SANDPORT_GUARD_H
#define SANDPORT_GUARD_H

#include "init.h"

/* Limit in bytes for everything in the sandbox. Works for PID 1 only. */
void guard_setup(uint64_t limit_bytes);

/* Changes the limit of a guard that is in force; 0 does not. */
void guard_limit(uint64_t limit_bytes);

/* Looks at memory when it is time to; returns when to call again, NEVER while nothing runs. */
int64_t guard_tick(int64_t now);

#endif
