/* What a kept command wrote, until the daemon has acknowledged it. */
#ifndef SANDPORT_RING_H
#define SANDPORT_RING_H

#include "init.h"

/* Offsets count from the first byte of the stream. */
struct ring {
  /* OUTPUT_WINDOW bytes, of which the kernel gives those that are used. NULL: there is no ring. */
  uint8_t *data;
  /* The byte with this offset lies first in `data`. */
  uint64_t base;
  /* acknowledged <= sent <= end; what lies between the first and the last is here. */
  uint64_t acknowledged;
  uint64_t sent;
  uint64_t end;
};

/* False when there is no memory. */
bool ring_open(struct ring *ring);
void ring_close(struct ring *ring);

/* Bytes that it can take. */
size_t ring_room(const struct ring *ring);

/* One read of at most so many bytes into it; there must be room. The result of read(). */
ssize_t ring_read(struct ring *ring, int fd, size_t most);

/* Takes bytes that have room. */
void ring_add(struct ring *ring, const uint8_t *data, size_t bytes);

/* Copies what was not sent to `to`, at most so much; it counts as sent. The bytes copied. */
size_t ring_send(struct ring *ring, uint8_t *to, size_t most);

/* The daemon holds so much more of it. False: it was not sent so much. */
bool ring_acknowledge(struct ring *ring, uint32_t bytes);

/* What is sent begins at this offset. False: that is not here. */
bool ring_resume(struct ring *ring, uint64_t offset);

#endif
