#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "connection.h"
#include "wire.h"

/* Less room than this is not worth a frame. */
#define ROOM_MIN 4096u

void output_open(struct output *output, int fd, uint8_t type) {
  *output = (struct output){fd, type, OUTPUT_WINDOW, SIZE_MAX};
}

void output_close(struct output *output) {
  if (output->fd >= 0) close(output->fd);
  output->fd = -1;
  output->remaining = 0;
}

bool output_wanted(const struct command *command, const struct output *output) {
  if (output->fd < 0) return false;
  if (!command->attached) return true;
  return output->remaining > 0 && output->credit > 0 && connection_room() >= ROOM_MIN;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static bool read_failed(struct output *output, ssize_t n) {
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && errno == EAGAIN) {
    /* Somebody else emptied the pipe. */
    if (output->remaining != SIZE_MAX) output->remaining = 0;
    return false;
  }
  output_close(output);
  return false;
}

bool output_read(struct command *command, struct output *output) {
  if (!command->attached) {
    static uint8_t nowhere[16 * 1024];
    ssize_t n = read(output->fd, nowhere, sizeof nowhere);
    return n > 0 || read_failed(output, n);
  }
  size_t most = least(least(output->credit, output->remaining),
                      least(connection_room(), OUTPUT_CHUNK));
  uint8_t *payload = connection_frame(output->type, command->id, most);
  if (payload == NULL) return false;
  ssize_t n = read(output->fd, payload, most);
  connection_trim(payload, n > 0 ? (size_t)n : 0);
  if (n <= 0) return read_failed(output, n);
  output->credit -= (uint32_t)n;
  if (output->remaining != SIZE_MAX) output->remaining -= (size_t)n;
  return true;
}

void output_finish(struct output *output) {
  if (output->fd < 0) return;
  int waiting = 0;
  if (ioctl(output->fd, FIONREAD, &waiting) != 0 || waiting < 0) waiting = (int)FRAME_MAX;
  output->remaining = (size_t)waiting;
}

bool stdin_take(struct command *command, const uint8_t *data, size_t bytes) {
  if (bytes > STDIN_WINDOW - command->stdin_held) return false;
  command->stdin_held += bytes;
  if (command->stdin_fd < 0) {
    command->stdin_grant += bytes;
    return true;
  }
  if (command->stdin_data == NULL) {
    command->stdin_data = malloc(STDIN_WINDOW);
    if (command->stdin_data == NULL) return false;
  }
  if (command->stdin_head + command->stdin_bytes + bytes > STDIN_WINDOW) {
    memmove(command->stdin_data, command->stdin_data + command->stdin_head, command->stdin_bytes);
    command->stdin_head = 0;
  }
  memcpy(command->stdin_data + command->stdin_head + command->stdin_bytes, data, bytes);
  command->stdin_bytes += bytes;
  stdin_write(command);
  return true;
}

static void stdin_free(struct command *command) {
  free(command->stdin_data);
  command->stdin_data = NULL;
  command->stdin_head = 0;
  command->stdin_bytes = 0;
}

void stdin_close(struct command *command) {
  if (command->stdin_fd >= 0) close(command->stdin_fd);
  command->stdin_fd = -1;
  command->stdin_grant += command->stdin_bytes;
  stdin_free(command);
}

void stdin_write(struct command *command) {
  while (command->stdin_fd >= 0 && command->stdin_bytes > 0) {
    ssize_t n = write(command->stdin_fd, command->stdin_data + command->stdin_head,
                      command->stdin_bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
      /* Nobody reads it any more: what still comes is taken and thrown away. */
      stdin_close(command);
      return;
    }
    command->stdin_head += (size_t)n;
    command->stdin_bytes -= (size_t)n;
    command->stdin_grant += (size_t)n;
  }
  stdin_free(command);
  if (command->stdin_closing) stdin_close(command);
}

void stdin_grant(struct command *command) {
  if (!command->attached || command->stdin_grant < STDIN_WINDOW / 2) return;
  uint8_t *payload = connection_frame(MSG_STDIN_CREDIT, command->id, 4);
  if (payload == NULL) return;
  put_u32(payload, (uint32_t)command->stdin_grant);
  command->stdin_held -= command->stdin_grant;
  command->stdin_grant = 0;
}
