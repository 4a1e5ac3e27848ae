/* Whether the processes of this sandbox could be given back from an image of their memory. */
#ifndef SANDPORT_RESTORABLE_H
#define SANDPORT_RESTORABLE_H

#include "init.h"

/*
 * False when a process holds a file of the sandbox's disk that its path does not lead to any more:
 * gVisor opens files by their paths again, and ends where it cannot. `reason` gets one line of text.
 */
bool restorable(char *reason, size_t room);

#endif
