/* Parses the payload of START. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spawn.h"
#include "wire.h"

struct counts {
  size_t args;
  size_t env;
  size_t text_bytes;
};

struct item {
  uint8_t tag;
  uint32_t bytes;
  const uint8_t *value;
};

/* Reads the item at *at and moves past it. False at the end or when it is cut off. */
static bool next_item(const uint8_t *payload, size_t bytes, size_t *at, struct item *item) {
  if (bytes - *at < 5) return false;
  item->tag = payload[*at];
  item->bytes = get_u32(payload + *at + 1);
  item->value = payload + *at + 5;
  if (item->bytes > bytes - *at - 5) return false;
  *at += 5 + item->bytes;
  return true;
}

static int count_items(const uint8_t *payload, size_t bytes, struct counts *counts) {
  size_t at = 0;
  struct item item;
  int result = 0;
  while (at < bytes) {
    if (!next_item(payload, bytes, &at, &item)) return -1;
    switch (item.tag) {
      case TAG_ARG:
        counts->args++;
        break;
      case TAG_ENV:
        counts->env++;
        break;
      case TAG_CWD:
      case TAG_USER:
        break;
      case TAG_TIMEOUT_MS:
        if (item.bytes != 4) return -1;
        continue;
      case TAG_STDIN:
        if (item.bytes != 1) return -1;
        continue;
      case TAG_TERMINAL:
        if (item.bytes != 4) return -1;
        continue;
      case TAG_KEEP:
        if (item.bytes != KEY_BYTES) return -1;
        continue;
      default:
        return -1;
    }
    counts->text_bytes += item.bytes + 1u;
    if (memchr(item.value, 0, item.bytes) != NULL) result = EINVAL;
  }
  return counts->args == 0 ? EINVAL : result;
}

static char *copy_text(char **text, const struct item *item) {
  char *copy = *text;
  memcpy(copy, item->value, item->bytes);
  copy[item->bytes] = 0;
  *text += item->bytes + 1u;
  return copy;
}

int start_request_parse(struct start_request *request, const uint8_t *payload, size_t bytes) {
  struct counts counts = {0};
  memset(request, 0, sizeof *request);
  int problem = count_items(payload, bytes, &counts);
  if (problem != 0) return problem;
  /* One slot before the arguments: an interpreter may go there. After the environment: defaults. */
  size_t pointers = counts.args + counts.env + 3 + ENV_DEFAULTS;
  char **arena = malloc(pointers * sizeof(char *) + counts.text_bytes);
  if (arena == NULL) return ENOMEM;
  request->arena = arena;
  request->args = arena + 1;
  request->env = arena + counts.args + 2;
  char *text = (char *)(arena + pointers);
  char **arg = request->args;
  char **env = request->env;
  size_t at = 0;
  struct item item;
  while (at < bytes && next_item(payload, bytes, &at, &item)) {
    switch (item.tag) {
      case TAG_ARG:
        *arg++ = copy_text(&text, &item);
        break;
      case TAG_ENV:
        *env++ = copy_text(&text, &item);
        break;
      case TAG_CWD:
        request->cwd = copy_text(&text, &item);
        break;
      case TAG_USER:
        request->user = copy_text(&text, &item);
        break;
      case TAG_TIMEOUT_MS:
        request->timeout_ms = get_u32(item.value);
        break;
      case TAG_TERMINAL:
        request->want_terminal = true;
        request->columns = get_u16(item.value);
        request->rows = get_u16(item.value + 2);
        break;
      case TAG_KEEP:
        request->keep = true;
        memcpy(request->key, item.value, KEY_BYTES);
        break;
      default:
        request->want_stdin = item.value[0] != 0;
    }
  }
  *arg = NULL;
  *env = NULL;
  return 0;
}

void start_request_free(struct start_request *request) {
  free(request->arena);
  request->arena = NULL;
}
