/* The table of connections from the daemon to ports of the sandbox's loopback. */
#ifndef SANDPORT_TUNNEL_H
#define SANDPORT_TUNNEL_H

#include <poll.h>

#include "init.h"

/* True while the daemon knows a connection by this number. */
bool tunnel_known(uint32_t id);

void tunnel_open(uint32_t id, uint16_t port);

/* Frames from the daemon, of a connection that it knows. False: the frame makes no sense. */
bool tunnel_data(uint32_t id, const uint8_t *data, size_t bytes);
bool tunnel_end(uint32_t id);
bool tunnel_credit(uint32_t id, uint8_t stream, uint32_t bytes);
void tunnel_close(uint32_t id);

/* The daemon has forgotten all of them. */
void tunnels_forget(void);

/* Adds what they wait for; `polls` has room for tunnels_poll_max() entries. */
size_t tunnels_poll_max(void);
size_t tunnels_poll(struct pollfd *polls);

/* Handles what poll said about the entries that tunnels_poll added. */
void tunnels_ready(const struct pollfd *polls, size_t count);

/* Sends what can be sent and forgets what is over. */
void tunnels_advance(void);

#endif
