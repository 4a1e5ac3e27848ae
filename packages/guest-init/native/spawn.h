/* Starts one process. */
#ifndef SANDPORT_SPAWN_H
#define SANDPORT_SPAWN_H

#include "init.h"

/* One parsed START. Free with start_request_free. */
struct start_request {
  char **args;
  char **env;
  const char *cwd;
  const char *user;
  uint64_t timeout_ms;
  bool want_stdin;
  void *arena;
};

/* What the parent holds of a started process. */
struct spawned {
  pid_t pid;
  int status_fd;
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
};

/*
 * 0: parsed. -1: the payload is malformed. Else the errno of a request that is well formed but
 * cannot be served.
 */
int start_request_parse(struct start_request *request, const uint8_t *payload, size_t bytes);
void start_request_free(struct start_request *request);

/* Called once before anything is spawned. */
void spawn_setup(void);

/*
 * Forks. Returns 0 or an errno. Later failures come through status_fd as 5 bytes: step, errno;
 * its end without bytes means that the program runs.
 */
int spawn(const struct start_request *request, struct spawned *child);

#endif
