#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "guard.h"
#include "kept.h"
#include "restorable.h"
#include "tunnel.h"
#include "wire.h"

#define HEADER_BYTES 9u
#define IN_BYTES (256u * 1024u)
#define OUT_BYTES (256u * 1024u)
/* Input is handled only while answers of this size fit. */
#define ANSWER_BYTES 256u
#define BACKOFF_FIRST_MS 10
#define BACKOFF_MAX_MS 500
/* After a suspension the daemon is back soon, often in another life of this process. */
#define SUSPENDED_RETRY_MS 20
#define SUSPENDED_SOON_MS 10000
/* A frame that nobody waits for goes with a later one, or after this. */
#define HELD_MS 10

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static const char *token;
static int fd = -1;
static bool accepted;
/* SUSPENDED is the last frame in the output: nothing follows it. */
static bool suspending;
/* The commands wait, as they are, for the daemon to say what becomes of them. */
static bool suspended;
static int64_t suspended_at;
static int64_t retry_at;
static int backoff_ms = BACKOFF_FIRST_MS;

static uint8_t in_base[IN_BYTES];
static uint8_t *in = in_base;
static size_t in_capacity = IN_BYTES;
static size_t in_bytes;

static uint8_t out[OUT_BYTES];
static size_t out_head;
static size_t out_tail;
/* Some frame in the output is to be sent at once; the same before the frame that was begun last. */
static bool pressing;
static bool pressing_before;
/* When the others are sent. */
static int64_t held_until;

void connection_setup(const char *socket_path, const char *token_text) {
  strncpy(address.sun_path, socket_path, sizeof address.sun_path - 1);
  token = token_text;
}

int connection_fd(void) { return fd; }

bool connection_open(void) { return accepted; }

static void in_release(void) {
  if (in != in_base) {
    free(in);
    in = in_base;
    in_capacity = IN_BYTES;
  }
}

static void connection_close(void) {
  close(fd);
  fd = -1;
  in_bytes = 0;
  in_release();
  out_head = out_tail = 0;
  pressing = false;
  accepted = false;
  suspending = false;
  kept_detach();
}

void connection_drop(const char *reason) {
  if (fd < 0) return;
  bool was_accepted = accepted;
  connection_close();
  if (was_accepted) {
    commands_detach();
    tunnels_forget();
  }
  retry_at = now_ms() + backoff_ms;
  if (reason != NULL) log_line("connection dropped: %s", reason);
}

static void connection_suspend(void) {
  connection_close();
  suspended = true;
  suspended_at = now_ms();
  retry_at = suspended_at + SUSPENDED_RETRY_MS;
}

static void retry_later(int64_t now) {
  if (suspended && now - suspended_at < SUSPENDED_SOON_MS) {
    retry_at = now + SUSPENDED_RETRY_MS;
    return;
  }
  retry_at = now + backoff_ms;
  backoff_ms = backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff_ms * 2;
}

static size_t room(void) {
  size_t bytes = OUT_BYTES - (out_tail - out_head);
  return bytes > HEADER_BYTES && !suspending ? bytes - HEADER_BYTES : 0;
}

static uint8_t *frame(uint8_t type, uint32_t id, size_t payload_bytes) {
  /* Not by the room, which is 0 both for a frame without a payload and for none at all. */
  size_t bytes = HEADER_BYTES + payload_bytes;
  if (fd < 0 || suspending || payload_bytes > FRAME_MAX) return NULL;
  if (bytes > OUT_BYTES - (out_tail - out_head)) return NULL;
  if (OUT_BYTES - out_tail < bytes) {
    memmove(out, out + out_head, out_tail - out_head);
    out_tail -= out_head;
    out_head = 0;
  }
  uint8_t *begin = out + out_tail;
  put_u32(begin, (uint32_t)(5 + payload_bytes));
  begin[4] = type;
  put_u32(begin + 5, id);
  out_tail += bytes;
  pressing_before = pressing;
  pressing = true;
  return begin + HEADER_BYTES;
}

size_t connection_room(void) { return accepted ? room() : 0; }

uint8_t *connection_frame(uint8_t type, uint32_t id, size_t payload_bytes) {
  return accepted ? frame(type, id, payload_bytes) : NULL;
}

uint8_t *connection_frame_held(uint8_t type, uint32_t id, size_t payload_bytes) {
  if (out_tail == out_head) held_until = now_ms() + HELD_MS;
  uint8_t *payload = connection_frame(type, id, payload_bytes);
  if (payload != NULL) pressing = pressing_before;
  return payload;
}

static bool only_held(void) { return out_tail > out_head && !pressing; }

static bool due(void) { return out_tail > out_head && (pressing || now_ms() >= held_until); }

int64_t connection_tick(int64_t now) {
  if (fd >= 0) return only_held() ? held_until : NEVER;
  if (now < retry_at) return retry_at;
  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    if (fd >= 0) close(fd);
    fd = -1;
    retry_later(now);
    return retry_at;
  }
  size_t token_bytes = strlen(token);
  uint8_t *hello = frame(MSG_HELLO, 0, 2 + token_bytes);
  hello[0] = PROTOCOL_VERSION;
  hello[1] = suspended ? 1 : 0;
  memcpy(hello + 2, token, token_bytes);
  /* A daemon that refuses us is not asked in a tight loop. */
  backoff_ms = backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : backoff_ms * 2;
  connection_flush();
  return fd >= 0 ? NEVER : retry_at;
}

void connection_trim(uint8_t *payload, size_t payload_bytes) {
  uint8_t *frame = payload - HEADER_BYTES;
  if (payload_bytes > 0) {
    put_u32(frame, (uint32_t)(5 + payload_bytes));
    out_tail = (size_t)(payload - out) + payload_bytes;
  } else {
    out_tail = (size_t)(frame - out);
    pressing = pressing_before;
  }
}

void connection_flush(void) {
  if (only_held() && !due()) return;
  while (fd >= 0 && out_tail > out_head) {
    ssize_t n = send(fd, out + out_head, out_tail - out_head, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) {
      connection_drop(NULL);
      return;
    }
    out_head += (size_t)n;
  }
  out_head = out_tail = 0;
  pressing = false;
  if (fd >= 0 && suspending) connection_suspend();
}

static bool can_answer(void) { return room() >= ANSWER_BYTES; }

short connection_events(void) {
  short events = 0;
  if (can_answer() && in_bytes < in_capacity) events |= POLLIN;
  if (due()) events |= POLLOUT;
  return events;
}

static bool suspend(void) {
  char reason[ANSWER_BYTES * 2] = "";
  bool possible = restorable(reason, sizeof reason);
  size_t most = connection_room();
  size_t bytes = strnlen(reason, most < sizeof reason ? most : sizeof reason);
  uint8_t *payload = connection_frame(possible ? MSG_SUSPENDED : MSG_NOT_SUSPENDED, 0, bytes);
  if (payload == NULL) return false;
  memcpy(payload, reason, bytes);
  suspending = possible;
  if (possible) tunnels_forget();
  return true;
}

/* A frame of a connection to a port. */
static bool dispatch_tunnel(uint8_t type, uint32_t id, const uint8_t *payload, size_t bytes) {
  switch (type) {
    case MSG_STDIN:
      return tunnel_data(id, payload, bytes);
    case MSG_STDIN_CLOSE:
      return bytes == 0 && tunnel_end(id);
    case MSG_CREDIT:
      return bytes == 5 && tunnel_credit(id, payload[0], get_u32(payload + 1));
    case MSG_CLOSE:
      if (bytes == 0) tunnel_close(id);
      return bytes == 0;
    default:
      return false;
  }
}

/* Handles one complete frame. False: the frame makes no sense. */
static bool dispatch(uint8_t type, uint32_t id, uint8_t *payload, size_t bytes) {
  if (type == MSG_HELLO_OK) {
    if (accepted || bytes != 2 || payload[0] != PROTOCOL_VERSION) return false;
    if (payload[1] > 1 || (payload[1] == 1 && !suspended)) return false;
    if (suspended && payload[1] == 0) commands_detach();
    suspended = false;
    accepted = true;
    backoff_ms = BACKOFF_FIRST_MS;
    kept_announce();
    log_flush();
    return true;
  }
  if (!accepted) return false;
  if (id != 0 && tunnel_known(id)) return dispatch_tunnel(type, id, payload, bytes);
  switch (type) {
    case MSG_START:
      return command_start(id, payload, bytes);
    case MSG_RESIZE:
      return bytes == 4 && command_resize(id, get_u16(payload), get_u16(payload + 2));
    case MSG_CONNECT:
      if (id == 0 || bytes != 2 || command_known(id)) return false;
      tunnel_open(id, get_u16(payload));
      return true;
    case MSG_CLOSE:
      /* The connection has ended meanwhile. */
      return bytes == 0 && !command_known(id);
    case MSG_STDIN:
      return command_stdin(id, payload, bytes);
    case MSG_STDIN_CLOSE:
      return bytes == 0 && command_stdin_close(id);
    case MSG_KILL:
      return bytes == 1 && command_kill(id, payload[0]);
    case MSG_CREDIT:
      return bytes == 5 && command_credit(id, payload[0], get_u32(payload + 1));
    case MSG_RESUME:
      return bytes == 16 && kept_resume(id, get_u64(payload), get_u64(payload + 8));
    case MSG_FORGET:
      return bytes == 0 && kept_forget(id);
    case MSG_PING: {
      if (bytes != 8) return false;
      struct sysinfo info;
      uint8_t *pong = connection_frame(MSG_PONG, 0, 12);
      if (pong == NULL) return true;
      memcpy(pong, payload, 8);
      put_u32(pong + 8, sysinfo(&info) == 0 ? info.procs : 0);
      return true;
    }
    case MSG_SUSPEND:
      return bytes == 0 && suspend();
    case MSG_LIMITS:
      if (bytes != 8) return false;
      guard_limit(get_u64(payload));
      return true;
    default:
      return false;
  }
}

/* Makes room for a frame of `need` bytes that does not fit the buffer. */
static bool in_grow(size_t need) {
  uint8_t *bigger = malloc(need);
  if (bigger == NULL) return false;
  memcpy(bigger, in, in_bytes);
  in_release();
  in = bigger;
  in_capacity = need;
  return true;
}

bool connection_process(void) {
  size_t at = 0;
  bool stalled = false;
  while (fd >= 0 && in_bytes - at >= 4) {
    size_t rest = get_u32(in + at);
    if (rest < 5 || rest > FRAME_MAX) {
      connection_drop("frame of impossible length");
      return false;
    }
    if (in_bytes - at < 4 + rest) break;
    if (!can_answer()) {
      stalled = true;
      break;
    }
    if (!dispatch(in[at + 4], get_u32(in + at + 5), in + at + HEADER_BYTES, rest - 5)) {
      connection_drop("frame that makes no sense");
      return false;
    }
    at += 4 + rest;
  }
  if (fd < 0) return false;
  in_bytes -= at;
  if (at > 0 && in_bytes > 0) memmove(in, in + at, in_bytes);
  size_t need = in_bytes >= 4 ? 4 + (size_t)get_u32(in) : 0;
  if (in != in_base && need <= IN_BYTES && in_bytes <= IN_BYTES) {
    memcpy(in_base, in, in_bytes);
    in_release();
  }
  if (need > in_capacity && need <= 4 + FRAME_MAX && !in_grow(need)) {
    connection_drop("no memory for a frame");
    return false;
  }
  return stalled;
}

void connection_ready(short revents) {
  if (fd < 0) return;
  if (revents & (POLLOUT | POLLHUP | POLLERR)) connection_flush();
  if (fd < 0 || !(revents & (POLLIN | POLLHUP | POLLERR)) || in_bytes >= in_capacity) return;
  ssize_t n = recv(fd, in + in_bytes, in_capacity - in_bytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    connection_drop(NULL);
    return;
  }
  in_bytes += (size_t)n;
}
