/* The one connection to the daemon: connects, authenticates, frames in and out. */
#ifndef SANDPORT_CONNECTION_H
#define SANDPORT_CONNECTION_H

#include "init.h"

/* `token` is kept by reference. Both are checked by the caller to be of usable length. */
void connection_setup(const char *socket_path, const char *token);

/* Connects when it is time to; returns when to call again, or NEVER. */
int64_t connection_tick(int64_t now);

/* Descriptor to poll, or -1, and the poll events that are wanted of it. */
int connection_fd(void);
short connection_events(void);

/* Handles what poll reported. */
void connection_ready(short revents);

/* Handles frames that wait in the buffer. True when some still wait for room in the output. */
bool connection_process(void);

/* Sends what is buffered, as far as the socket takes it. */
void connection_flush(void);

/* True while the daemon has accepted us. */
bool connection_open(void);

/* Closes it; the next tick connects again. */
void connection_drop(const char *reason);

/* Room for the payload of a frame, or NULL when the output buffer is full. */
uint8_t *connection_frame(uint8_t type, uint32_t id, size_t payload_bytes);

/*
 * The same for a frame that nobody waits for: within 10 ms it is sent with one that does not wait,
 * or then without.
 */
uint8_t *connection_frame_held(uint8_t type, uint32_t id, size_t payload_bytes);

/* Shortens the frame that was begun last to what its payload got; 0 takes it back. */
void connection_trim(uint8_t *payload, size_t payload_bytes);

/* Payload bytes that one more frame could carry. */
size_t connection_room(void);

/* Hands the pending log lines to the daemon. */
void log_flush(void);

#endif
