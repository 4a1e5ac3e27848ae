#define _GNU_SOURCE
#include "tunnel.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "streams.h"
#include "wire.h"

enum state { CONNECTING, OPEN, OVER };

struct tunnel {
  struct party party;
  enum state state;
  uint16_t port;
  bool tried_ipv6;
  /* The daemon has been told that it is open. */
  bool told_open;
  /* The program in the sandbox sends nothing more; the daemon has been told. */
  bool ended;
  bool told_end;
  /* The daemon sends nothing more, and the program has got all of it. */
  bool shut;
  /* Why it is over; 0 when both directions have ended. */
  int error;
  /* Both have the socket, which the output closes. */
  struct output output;
  struct input input;
};

static struct tunnel *table[TUNNELS_MAX];
static size_t table_count;

static struct tunnel *find(uint32_t id) {
  for (size_t i = 0; i < table_count; i++) {
    if (table[i]->party.id == id) return table[i];
  }
  return NULL;
}

bool tunnel_known(uint32_t id) { return find(id) != NULL; }

static void finish(struct tunnel *tunnel, int error) {
  if (tunnel->state == OVER) return;
  tunnel->state = OVER;
  tunnel->error = error;
  input_close(&tunnel->input);
  output_close(&tunnel->output);
}

static void finish_ended(struct tunnel *tunnel) {
  if (tunnel->ended && tunnel->shut) finish(tunnel, 0);
}

static void opened(struct tunnel *tunnel) {
  int on = 1;
  tunnel->state = OPEN;
  setsockopt(tunnel->output.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Starts to connect. 0 or an errno. */
static int dial(struct tunnel *tunnel, int family) {
  struct sockaddr_in v4 = {.sin_family = AF_INET,
                           .sin_port = htons(tunnel->port),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                            .sin6_port = htons(tunnel->port),
                            .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  const void *address = family == AF_INET ? (const void *)&v4 : (const void *)&v6;
  socklen_t bytes = family == AF_INET ? sizeof v4 : sizeof v6;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int problem = connect(fd, address, bytes) == 0 ? 0 : errno;
  if (problem != 0 && problem != EINPROGRESS) {
    close(fd);
    return problem;
  }
  output_open(&tunnel->output, fd, MSG_STDOUT);
  tunnel->input = (struct input){.fd = fd, .shared = true, .window = TUNNEL_WINDOW};
  if (problem == 0) opened(tunnel);
  return 0;
}

/* A program may listen on the other kind of loopback alone. */
static void refused(struct tunnel *tunnel, int error) {
  if (error == ECONNREFUSED && !tunnel->tried_ipv6) {
    tunnel->tried_ipv6 = true;
    input_close(&tunnel->input);
    output_close(&tunnel->output);
    if (dial(tunnel, AF_INET6) == 0) return;
  }
  finish(tunnel, error);
}

void tunnel_open(uint32_t id, uint16_t port) {
  struct tunnel *tunnel = table_count < TUNNELS_MAX ? calloc(1, sizeof *tunnel) : NULL;
  if (tunnel == NULL) {
    uint8_t *payload = connection_frame(MSG_CONNECT_FAILED, id, 4);
    if (payload != NULL) put_u32(payload, EMFILE);
    return;
  }
  *tunnel = (struct tunnel){.party = {id, true},
                            .port = port,
                            .output = {.fd = -1},
                            .input = {.fd = -1, .shared = true}};
  table[table_count++] = tunnel;
  int problem = dial(tunnel, AF_INET);
  if (problem != 0) refused(tunnel, problem);
}

static void write_on(struct tunnel *tunnel) {
  int problem = input_write(&tunnel->input);
  if (problem != 0) {
    finish(tunnel, problem);
  } else if (tunnel->input.closing && tunnel->input.bytes == 0 && !tunnel->shut) {
    tunnel->shut = true;
    shutdown(tunnel->output.fd, SHUT_WR);
    finish_ended(tunnel);
  }
}

bool tunnel_data(uint32_t id, const uint8_t *data, size_t bytes) {
  struct tunnel *tunnel = find(id);
  if (tunnel->state == CONNECTING || tunnel->input.closing) return false;
  int problem = input_take(&tunnel->input, data, bytes);
  if (problem > 0) finish(tunnel, problem);
  return problem >= 0;
}

bool tunnel_end(uint32_t id) {
  struct tunnel *tunnel = find(id);
  if (tunnel->state == CONNECTING || tunnel->input.closing) return false;
  tunnel->input.closing = true;
  if (tunnel->state == OPEN) write_on(tunnel);
  return true;
}

bool tunnel_credit(uint32_t id, uint8_t stream, uint32_t bytes) {
  return stream == 1 && output_credit(&find(id)->output, bytes);
}

void tunnel_close(uint32_t id) { finish(find(id), ECONNABORTED); }

void tunnels_forget(void) {
  for (size_t i = 0; i < table_count; i++) {
    finish(table[i], ECONNABORTED);
    free(table[i]);
  }
  table_count = 0;
}

size_t tunnels_poll_max(void) { return table_count; }

static short wanted(const struct tunnel *tunnel) {
  if (tunnel->state == CONNECTING) return POLLOUT;
  if (tunnel->state != OPEN || !tunnel->told_open) return 0;
  short events = 0;
  if (!tunnel->ended && output_wanted(&tunnel->party, &tunnel->output)) events |= POLLIN;
  if (tunnel->input.bytes > 0) events |= POLLOUT;
  return events;
}

size_t tunnels_poll(struct pollfd *polls) {
  for (size_t i = 0; i < table_count; i++) {
    short events = wanted(table[i]);
    /* What is not waited for may say all the same that it is broken. */
    polls[i] = (struct pollfd){.fd = events == 0 ? -1 : table[i]->output.fd, .events = events};
  }
  return table_count;
}

static void on_connected(struct tunnel *tunnel) {
  int problem = 0;
  socklen_t bytes = sizeof problem;
  if (getsockopt(tunnel->output.fd, SOL_SOCKET, SO_ERROR, &problem, &bytes) != 0) problem = errno;
  if (problem == 0) {
    opened(tunnel);
  } else {
    refused(tunnel, problem);
  }
}

static void read_on(struct tunnel *tunnel) {
  ssize_t n = output_send(&tunnel->party, &tunnel->output);
  if (n == 0) {
    tunnel->ended = true;
    finish_ended(tunnel);
  } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
    finish(tunnel, errno);
  }
}

void tunnels_ready(const struct pollfd *polls, size_t count) {
  for (size_t i = 0; i < count && i < table_count; i++) {
    struct tunnel *tunnel = table[i];
    short events = polls[i].revents;
    if (events == 0) continue;
    if (tunnel->state == CONNECTING) {
      on_connected(tunnel);
      continue;
    }
    if (tunnel->state == OPEN && tunnel->input.bytes > 0) write_on(tunnel);
    if (tunnel->state == OPEN && (wanted(tunnel) & POLLIN)) read_on(tunnel);
  }
}

static bool tell(const struct tunnel *tunnel, uint8_t type) {
  return connection_frame(type, tunnel->party.id, 0) != NULL;
}

static bool tell_errno(const struct tunnel *tunnel, uint8_t type) {
  uint8_t *payload = connection_frame(type, tunnel->party.id, 4);
  if (payload == NULL) return false;
  put_u32(payload, (uint32_t)tunnel->error);
  return true;
}

/* Tells the daemon what it does not know yet. True when that was the last word. */
static bool advance(struct tunnel *tunnel) {
  if (tunnel->state == CONNECTING) return false;
  if (!tunnel->told_open) {
    if (tunnel->state == OVER) return tell_errno(tunnel, MSG_CONNECT_FAILED);
    tunnel->told_open = tell(tunnel, MSG_CONNECTED);
    if (!tunnel->told_open) return false;
  }
  if (tunnel->ended && !tunnel->told_end) {
    tunnel->told_end = tell(tunnel, MSG_STREAM_END);
    if (!tunnel->told_end) return false;
  }
  if (tunnel->state == OVER) return tell_errno(tunnel, MSG_CLOSED);
  input_grant(&tunnel->party, &tunnel->input);
  return false;
}

void tunnels_advance(void) {
  size_t kept = 0;
  for (size_t i = 0; i < table_count; i++) {
    struct tunnel *tunnel = table[i];
    if (advance(tunnel)) {
      free(tunnel);
    } else {
      table[kept++] = tunnel;
    }
  }
  table_count = kept;
  /* Another one is first next time, so that a full output buffer starves nobody. */
  if (kept > 1) {
    struct tunnel *first = table[0];
    memmove(table, table + 1, (kept - 1) * sizeof *table);
    table[kept - 1] = first;
  }
}
