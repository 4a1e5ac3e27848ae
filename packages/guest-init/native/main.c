/* The init of a sandbox: PID 1, which runs commands for the daemon and never ends by itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "connection.h"
#include "guard.h"
#include "init.h"
#include "privileges.h"
#include "spawn.h"
#include "tunnel.h"

#define TOKEN_BYTES_MIN 32
#define TOKEN_BYTES_MAX 256

struct options {
  const char *socket_path;
  const char *token_file;
  uint64_t pids_max;
  uint64_t memory_guard;
};

static volatile sig_atomic_t child_ended;

int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "sandport-init: %s\n", what);
  exit(64);
}

static uint64_t parse_number(const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || *end != 0 || text[0] < '0' || text[0] > '9') fail("a number was expected");
  return value;
}

static struct options parse_options(int argc, char **argv) {
  struct options options = {0};
  for (int i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (value == NULL) fail("an option has no value");
    if (strcmp(argv[i], "--socket") == 0) {
      options.socket_path = value;
    } else if (strcmp(argv[i], "--token-file") == 0) {
      options.token_file = value;
    } else if (strcmp(argv[i], "--pids-max") == 0) {
      options.pids_max = parse_number(value);
    } else if (strcmp(argv[i], "--memory-guard") == 0) {
      options.memory_guard = parse_number(value);
    } else {
      fail("usage: --socket PATH --token-file PATH [--pids-max N] [--memory-guard BYTES]");
    }
  }
  if (options.socket_path == NULL || options.token_file == NULL) {
    fail("--socket and --token-file are required");
  }
  if (strlen(options.socket_path) >= sizeof((struct sockaddr_un *)0)->sun_path) {
    fail("the socket's path is too long");
  }
  return options;
}

static const char *read_token(const char *path) {
  static char token[TOKEN_BYTES_MAX + 1];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("cannot open the token file");
  ssize_t n = read(fd, token, TOKEN_BYTES_MAX);
  close(fd);
  if (n < 0) fail("cannot read the token file");
  token[strcspn(token, "\r\n")] = 0;
  if (strlen(token) < TOKEN_BYTES_MIN) fail("the token is too short");
  return token;
}

static void on_signal(int signal) {
  if (signal == SIGCHLD) child_ended = 1;
}

/*
 * Signals arrive only while the loop waits. Handlers, not SIG_IGN: exec resets them by itself, so
 * commands start with every signal at its default.
 */
static void setup_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, NULL);
  sigfillset(&action.sa_mask);
  sigaction(SIGCHLD, &action, NULL);
  sigaction(SIGPIPE, &action, NULL);
  if (getpid() != 1) return;
  static const int ignored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGUSR1, SIGUSR2,  SIGALRM,
                                SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGXCPU,  SIGXFSZ,
                                SIGPROF, SIGIO,   SIGPWR,  SIGVTALRM, SIGSTKFLT};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
    sigaction(ignored[i], &action, NULL);
  }
  for (int s = SIGRTMIN; s <= SIGRTMAX; s++) sigaction(s, &action, NULL);
}

/* Nothing of the runtime that started us stays open, and pipes never get the numbers 0 to 2. */
static void setup_descriptors(void) {
  int fd = open("/dev/null", O_RDWR);
  if (fd < 0) fd = open("/", O_RDONLY | O_DIRECTORY);
  if (fd < 0) fail("cannot open a descriptor");
  for (int std = 0; std < 3; std++) {
    if (fd != std) dup2(fd, std);
  }
  if (fd > 2) close(fd);
}

static int64_t earlier(int64_t a, int64_t b) { return a < b ? a : b; }

static void wait_until(struct pollfd *polls, size_t count, int64_t when) {
  struct timespec timeout;
  struct timespec *limit = NULL;
  if (when != NEVER) {
    int64_t wait_ms = when - now_ms();
    if (wait_ms < 0) wait_ms = 0;
    timeout = (struct timespec){.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
    limit = &timeout;
  }
  sigset_t none;
  sigemptyset(&none);
  if (ppoll(polls, count, limit, &none) <= 0) {
    for (size_t i = 0; i < count; i++) polls[i].revents = 0;
  }
}

static _Noreturn void run(void) {
  struct pollfd *polls = NULL;
  size_t capacity = 0;
  bool stalled = false;
  for (;;) {
    int64_t now = now_ms();
    int64_t when = connection_tick(now);
    when = earlier(when, commands_tick(now));
    when = earlier(when, guard_tick(now));
    if (stalled) when = now;
    size_t most = 1 + commands_poll_max() + tunnels_poll_max();
    if (most > capacity) {
      struct pollfd *bigger = realloc(polls, most * 2 * sizeof *polls);
      if (bigger == NULL) {
        /* The guest is out of memory; it comes back when a process ends. */
        poll(NULL, 0, 10);
        commands_reap();
        continue;
      }
      polls = bigger;
      capacity = most * 2;
    }
    polls[0] = (struct pollfd){.fd = connection_fd(), .events = connection_events()};
    struct pollfd *of_tunnels = polls + 1 + commands_poll(polls + 1);
    size_t tunnels = tunnels_poll(of_tunnels);
    size_t commands = (size_t)(of_tunnels - polls) - 1;
    wait_until(polls, 1 + commands + tunnels, when);
    commands_ready(polls + 1, commands);
    tunnels_ready(of_tunnels, tunnels);
    if (child_ended) {
      child_ended = 0;
      commands_reap();
    }
    if (polls[0].revents != 0) connection_ready(polls[0].revents);
    stalled = connection_process();
    commands_advance();
    tunnels_advance();
    log_flush();
    connection_flush();
    stalled = (stalled && (connection_events() & POLLIN) != 0) || commands_pending();
  }
}

int main(int argc, char **argv) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  /* What is large (frames, stdin) goes back to the kernel when it is freed. */
  mallopt(M_MMAP_THRESHOLD, 32 * 1024);
  struct options options = parse_options(argc, argv);
  const char *token = read_token(options.token_file);
  if (getpid() != 1) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  setup_signals();
  setup_descriptors();
  spawn_setup();
  if (options.pids_max > 0) limit_pids(options.pids_max);
  drop_privileges();
  if (options.memory_guard > 0) guard_setup(options.memory_guard);
  connection_setup(options.socket_path, token);
  run();
}
