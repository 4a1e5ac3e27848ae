/* Starts one process. */
#ifndef SANDPORT_SPAWN_H
#define SANDPORT_SPAWN_H

#include "init.h"

/* Variables that are filled in when a request has none of that name. */
#define ENV_DEFAULTS 6

/* One parsed START. Free with start_request_free. */
struct start_request {
  /* The entry before the first one may be overwritten. */
  char **args;
  /* Has room for ENV_DEFAULTS more entries. */
  char **env;
  const char *cwd;
  const char *user;
  uint64_t timeout_ms;
  bool want_stdin;
  bool want_terminal;
  uint16_t columns;
  uint16_t rows;
  bool keep;
  uint8_t key[KEY_BYTES];
  void *arena;
};

/* What the parent holds of a started process; -1 for what it has not. */
struct spawned {
  pid_t pid;
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int orders_fd;
};

/* Why there is none. */
struct spawn_failure {
  uint8_t step;
  int error;
};

/*
 * 0: parsed. -1: the payload is malformed. Else the errno of a request that is well formed but
 * cannot be served.
 */
int start_request_parse(struct start_request *request, const uint8_t *payload, size_t bytes);
void start_request_free(struct start_request *request);

/* Called once before anything is spawned. */
void spawn_setup(void);

/* Returns when the program runs, or with false and the reason. */
bool spawn(const struct start_request *request, struct spawned *child,
           struct spawn_failure *failure);

#endif
