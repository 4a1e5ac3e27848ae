/* Kept commands: they outlive connections to the daemon, and so does what they write. */
#ifndef SANDPORT_KEPT_H
#define SANDPORT_KEPT_H

#include "command.h"
#include "spawn.h"

/* Prepares one that is to be kept; does nothing for others. False: why not. */
bool kept_open(struct command *command, const struct start_request *request,
               struct spawn_failure *failure);

/* Frees what only a kept one has. */
void kept_close(struct command *command);

/* The connection is gone. */
void kept_detach(void);

/* Tells a new connection of all. */
void kept_announce(void);

/* Frames from the daemon. False: the frame makes no sense. */
bool kept_resume(uint32_t id, uint64_t stdout_offset, uint64_t stderr_offset);
bool kept_forget(uint32_t id);

/* Sends what can be sent of one. */
void kept_advance(struct command *command);

/* True when something of it could be sent. */
bool kept_pending(const struct command *command);

#endif
