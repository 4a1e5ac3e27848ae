#define _GNU_SOURCE
#include "attendant.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"

static _Noreturn void attend(void) {
  pid_t leader = getsid(0);
  uint8_t order;
  /* In a group of its own; every signal is blocked since the init. */
  setpgid(0, 0);
  for (;;) {
    ssize_t n = read(1, &order, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(0);
    bool ends = order & ORDER_ENDS;
    int signal = order & ~ORDER_ENDS;
    pid_t front = tcgetpgrp(0);
    if (!ends && front > 1) kill(-front, signal);
    if (ends && front > 1 && front != leader) {
      kill(-front, SIGHUP);
      kill(-front, SIGCONT);
    }
    if (ends) kill(-leader, signal);
  }
}

/* As fork, without what the C library does beside it: the caller shares memory with the init. */
static pid_t plain_fork(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }

bool attendant_start(int slave, int orders) {
  /* Twice, so that it is a child of the init and not of the command. */
  pid_t pid = plain_fork();
  if (pid == 0) {
    pid = plain_fork();
    if (pid != 0) _exit(pid < 0);
    if (dup2(slave, 0) < 0 || dup2(orders, 1) < 0) _exit(1);
    close_from(2);
    attend();
  }
  int status = 1;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return false;
  errno = EAGAIN;
  return status == 0;
}
