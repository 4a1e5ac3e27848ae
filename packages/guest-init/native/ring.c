#define _GNU_SOURCE
#include "ring.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t place(const struct ring *ring, uint64_t offset) {
  return (size_t)((offset - ring->base) % OUTPUT_WINDOW);
}

bool ring_open(struct ring *ring) {
  *ring = (struct ring){.data = malloc(OUTPUT_WINDOW)};
  return ring->data != NULL;
}

void ring_close(struct ring *ring) {
  free(ring->data);
  ring->data = NULL;
}

size_t ring_room(const struct ring *ring) {
  return OUTPUT_WINDOW - (size_t)(ring->end - ring->acknowledged);
}

ssize_t ring_read(struct ring *ring, int fd, size_t most) {
  /* A stream that is always acknowledged at once needs no more than its first pages. */
  if (ring->acknowledged == ring->end) ring->base = ring->end;
  size_t at = place(ring, ring->end);
  ssize_t n = read(fd, ring->data + at, least(least(ring_room(ring), OUTPUT_WINDOW - at), most));
  if (n > 0) ring->end += (size_t)n;
  return n;
}

void ring_add(struct ring *ring, const uint8_t *data, size_t bytes) {
  for (size_t i = 0; i < bytes && ring_room(ring) > 0; i++) {
    ring->data[place(ring, ring->end)] = data[i];
    ring->end++;
  }
}

size_t ring_send(struct ring *ring, uint8_t *to, size_t most) {
  size_t at = place(ring, ring->sent);
  size_t bytes = least(least((size_t)(ring->end - ring->sent), OUTPUT_WINDOW - at), most);
  memcpy(to, ring->data + at, bytes);
  ring->sent += bytes;
  return bytes;
}

bool ring_acknowledge(struct ring *ring, uint32_t bytes) {
  if (bytes > ring->sent - ring->acknowledged) return false;
  ring->acknowledged += bytes;
  return true;
}

bool ring_resume(struct ring *ring, uint64_t offset) {
  if (offset < ring->acknowledged || offset > ring->end) return false;
  ring->sent = offset;
  return true;
}
