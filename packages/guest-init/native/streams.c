#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "connection.h"
#include "wire.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

void output_open(struct output *output, int fd, uint8_t type) {
  output->fd = fd;
  output->type = type;
  output->credit = OUTPUT_WINDOW;
  output->remaining = fd < 0 ? 0 : SIZE_MAX;
}

void output_close(struct output *output) {
  if (output->fd >= 0) close(output->fd);
  output->fd = -1;
  output->remaining = 0;
}

bool output_wanted(const struct party *party, const struct output *output) {
  if (output->fd < 0) return false;
  if (output->ring.data != NULL) return output->remaining == 0 || ring_room(&output->ring) > 0;
  if (!party->attached) return true;
  return output->remaining > 0 && output->credit > 0 && connection_room() >= ROOM_MIN;
}

ssize_t output_send(const struct party *party, struct output *output) {
  size_t most = least(least(output->credit, output->remaining),
                      least(connection_room(), OUTPUT_CHUNK));
  uint8_t *payload = most > 0 ? connection_frame(output->type, party->id, most) : NULL;
  if (payload == NULL) {
    errno = EAGAIN;
    return -1;
  }
  ssize_t n = read(output->fd, payload, most);
  int problem = errno;
  connection_trim(payload, n > 0 ? (size_t)n : 0);
  errno = problem;
  if (n <= 0) return n;
  output->credit -= (uint32_t)n;
  if (output->remaining != SIZE_MAX) output->remaining -= (size_t)n;
  return n;
}

static ssize_t read_nowhere(int fd) {
  static uint8_t nowhere[16 * 1024];
  return read(fd, nowhere, sizeof nowhere);
}

static ssize_t read_to_ring(struct output *output) {
  ssize_t n = ring_read(&output->ring, output->fd, least(output->remaining, OUTPUT_CHUNK));
  if (n > 0 && output->remaining != SIZE_MAX) output->remaining -= (size_t)n;
  return n;
}

static ssize_t read_some(const struct party *party, struct output *output) {
  if (output->ring.data != NULL)
    return output->remaining == 0 ? read_nowhere(output->fd) : read_to_ring(output);
  return party->attached ? output_send(party, output) : read_nowhere(output->fd);
}

bool output_read(const struct party *party, struct output *output) {
  ssize_t n = read_some(party, output);
  if (n > 0 || (n < 0 && errno == EINTR)) return true;
  if (n == 0 || errno != EAGAIN) {
    output_close(output);
  } else if (output->remaining != SIZE_MAX) {
    /* Somebody else emptied the pipe. */
    output->remaining = 0;
  }
  return false;
}

void output_add(const struct party *party, struct output *output, const uint8_t *data,
                size_t bytes) {
  if (output->fd < 0 || bytes > output->remaining) return;
  if (output->ring.data != NULL) {
    ring_add(&output->ring, data, bytes);
    return;
  }
  if (bytes > output->credit) return;
  uint8_t *payload = connection_frame(output->type, party->id, bytes);
  if (payload == NULL) return;
  memcpy(payload, data, bytes);
  output->credit -= (uint32_t)bytes;
}

void output_finish(struct output *output) {
  if (output->fd < 0) return;
  int waiting = 0;
  if (ioctl(output->fd, FIONREAD, &waiting) != 0 || waiting < 0) waiting = (int)FRAME_MAX;
  output->remaining = (size_t)waiting;
}

void output_finish_terminal(struct output *output) {
  /* More than a terminal holds; the kernel tells how much that is too early. */
  if (output->fd >= 0) output->remaining = FRAME_MAX;
}

void output_send_ring(const struct party *party, struct output *output) {
  struct ring *ring = &output->ring;
  while (party->attached && ring->data != NULL && ring->sent < ring->end) {
    size_t most = least(least(connection_room(), OUTPUT_CHUNK), (size_t)(ring->end - ring->sent));
    uint8_t *payload = most > 0 ? connection_frame(output->type, party->id, most) : NULL;
    if (payload == NULL) return;
    connection_trim(payload, ring_send(ring, payload, most));
  }
}

bool output_delivered(const struct output *output) {
  return output->remaining == 0 && output->ring.sent == output->ring.end;
}

bool output_credit(struct output *output, uint32_t bytes) {
  if (output->ring.data != NULL) return ring_acknowledge(&output->ring, bytes);
  if (bytes > CREDIT_MAX - output->credit) return false;
  output->credit += bytes;
  return true;
}

static void input_free(struct input *input) {
  free(input->data);
  input->data = NULL;
  input->head = 0;
  input->bytes = 0;
}

/* The bytes written, 0 for none at this moment, -1 with errno when nothing is taken any more. */
static ssize_t write_some(int fd, const uint8_t *data, size_t bytes) {
  for (;;) {
    ssize_t n = write(fd, data, bytes);
    if (n >= 0) return n;
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return -1;
  }
}

int input_write(struct input *input) {
  while (input->fd >= 0 && input->bytes > 0) {
    ssize_t n = write_some(input->fd, input->data + input->head, input->bytes);
    if (n < 0) return errno;
    if (n == 0) return 0;
    input->head += (size_t)n;
    input->bytes -= (size_t)n;
    input->grant += (size_t)n;
  }
  input_free(input);
  return 0;
}

static bool keep(struct input *input, const uint8_t *data, size_t bytes) {
  if (input->data == NULL) {
    input->data = malloc(input->window);
    if (input->data == NULL) return false;
  }
  if (input->head + input->bytes + bytes > input->window) {
    memmove(input->data, input->data + input->head, input->bytes);
    input->head = 0;
  }
  memcpy(input->data + input->head + input->bytes, data, bytes);
  input->bytes += bytes;
  input->taken += bytes;
  return true;
}

bool input_skip(struct input *input, size_t bytes) {
  if (bytes > input->window - input->held) return false;
  input->held += bytes;
  input->taken += bytes;
  input->grant += bytes + input->bytes;
  input_free(input);
  return true;
}

int input_take(struct input *input, const uint8_t *data, size_t bytes) {
  if (bytes > input->window - input->held) return -1;
  input->held += bytes;
  if (input->fd < 0) {
    input->grant += bytes;
    input->taken += bytes;
    return 0;
  }
  if (input->bytes == 0) {
    ssize_t n = write_some(input->fd, data, bytes);
    if (n < 0) {
      input->grant += bytes;
      input->taken += bytes;
      return errno;
    }
    input->grant += (size_t)n;
    input->taken += (size_t)n;
    data += n;
    bytes -= (size_t)n;
  }
  return bytes == 0 || keep(input, data, bytes) ? 0 : -1;
}

void input_close(struct input *input) {
  if (input->fd >= 0 && !input->shared) close(input->fd);
  input->fd = -1;
  input->grant += input->bytes;
  input_free(input);
}

size_t input_restart(struct input *input) {
  input->held = input->bytes;
  input->grant = 0;
  return input->window - input->held;
}

void input_grant(const struct party *party, struct input *input) {
  if (!party->attached || input->grant < input->window / 2) return;
  uint8_t *payload = connection_frame(MSG_STDIN_CREDIT, party->id, 4);
  if (payload == NULL) return;
  put_u32(payload, (uint32_t)input->grant);
  input->held -= input->grant;
  input->grant = 0;
}
