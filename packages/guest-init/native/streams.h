/* The pipes of one command. */
#ifndef SANDPORT_STREAMS_H
#define SANDPORT_STREAMS_H

#include "command.h"

void output_open(struct output *output, int fd, uint8_t type);
void output_close(struct output *output);

/* True when reading would lead somewhere: there is credit and room, or nobody wants the bytes. */
bool output_wanted(const struct command *command, const struct output *output);

/* One read: to the daemon, or to nowhere. True when there may be more to do at once. */
bool output_read(struct command *command, struct output *output);

/* The main process has ended: what is in the pipe at this moment is the rest. */
void output_finish(struct output *output);

/* Takes bytes of stdin. False when the daemon overran its credit or there is no memory. */
bool stdin_take(struct command *command, const uint8_t *data, size_t bytes);

/* Writes as much as the pipe takes. */
void stdin_write(struct command *command);

void stdin_close(struct command *command);

/* Grants credit once it is worth a frame. */
void stdin_grant(struct command *command);

#endif
