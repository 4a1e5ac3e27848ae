#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "wire.h"

#define PENDING_BYTES 4096u

static char pending[PENDING_BYTES];
static size_t pending_bytes;

void log_flush(void) {
  if (pending_bytes == 0 || !connection_open()) return;
  uint8_t *payload = connection_frame(MSG_LOG, 0, pending_bytes);
  if (payload == NULL) return;
  memcpy(payload, pending, pending_bytes);
  pending_bytes = 0;
}

void log_line(const char *format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (n < 0) return;
  size_t bytes = (size_t)n >= sizeof line - 1 ? sizeof line - 2 : (size_t)n;
  line[bytes++] = '\n';
  if (bytes > PENDING_BYTES - pending_bytes) pending_bytes = 0;
  memcpy(pending + pending_bytes, line, bytes);
  pending_bytes += bytes;
  log_flush();
}
