/* What every part of the init shares: limits, the clock and the log. */
#ifndef SANDPORT_INIT_H
#define SANDPORT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes after the length word of a frame. Both sides refuse more. */
#define FRAME_MAX (1024u * 1024u)
/* Credit per command and output stream when it starts. */
#define OUTPUT_WINDOW (256u * 1024u)
/* Most credit one stream may hold. */
#define CREDIT_MAX (16u * 1024u * 1024u)
/* Bytes of stdin the daemon may send ahead. */
#define STDIN_WINDOW (64u * 1024u)
/* The same for a connection to a port. */
#define TUNNEL_WINDOW (256u * 1024u)
/* Bytes that one frame of output carries at most. */
#define OUTPUT_CHUNK (64u * 1024u)
/* Commands known at one time; pipes of background processes count while they are open. */
#define COMMANDS_MAX 4096u
/* Commands kept at one time; ended ones count until they are forgotten. */
#define KEPT_MAX 256u
#define KEY_BYTES 16u
/* The init numbers kept commands from here on, the daemon all others below. */
#define KEPT_ID_FIRST 0x80000000u
/* Connections to ports at one time. */
#define TUNNELS_MAX 1024u
/* From SIGTERM to SIGKILL after a timeout. */
#define KILL_GRACE_MS 2000

/* A time that never comes. */
#define NEVER INT64_MAX

/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);

/* One line for the daemon. Kept (the latest 4 KiB) until it is connected. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
