#define _GNU_SOURCE
#include "privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = write(fd, text, strlen(text));
  int problem = errno;
  close(fd);
  errno = problem;
  return n == (ssize_t)strlen(text);
}

/* True when the limit holds for this process, with the cgroup mounted at `parent`/cgroup. */
static bool enter_pids_cgroup(const char *parent, uint64_t max) {
  char path[128];
  char text[32];
  snprintf(path, sizeof path, "%s/cgroup", parent);
  if (mkdir(path, 0700) != 0 || mount("cgroup", path, "cgroup", 0, "pids") != 0) return false;
  snprintf(path, sizeof path, "%s/cgroup/guest", parent);
  if (mkdir(path, 0755) != 0) return false;
  snprintf(path, sizeof path, "%s/cgroup/guest/pids.max", parent);
  snprintf(text, sizeof text, "%llu", (unsigned long long)max);
  if (!write_file(path, text)) return false;
  snprintf(path, sizeof path, "%s/cgroup/guest/cgroup.procs", parent);
  snprintf(text, sizeof text, "%d", (int)getpid());
  return write_file(path, text);
}

void limit_pids(uint64_t max) {
  /* Any directory that may look empty to the guest will do; the first that can be had is taken. */
  static const char *const parents[] = {"/sys/fs/cgroup", "/run/sandport-private", "/srv", "/media"};
  for (size_t i = 0; i < sizeof parents / sizeof *parents; i++) {
    const char *parent = parents[i];
    if (i == 1) mkdir(parent, 0700);
    if (mount("tmpfs", parent, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0) {
      continue;
    }
    bool done = enter_pids_cgroup(parent, max);
    int problem = errno;
    /* Unmounting would end the limit: the mount stays and is hidden below an empty one. */
    if (mount("tmpfs", parent, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "mode=0555") != 0) {
      log_line("pids limit: cannot cover %s: %s", parent, strerror(errno));
    }
    if (!done) log_line("pids limit: not in force: %s", strerror(problem));
    return;
  }
  log_line("pids limit: not in force: no directory to mount on: %s", strerror(errno));
}

static const uint64_t kept_capabilities =
    1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FSETID | 1u << CAP_FOWNER |
    1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_SETPCAP | 1u << CAP_KILL |
    1u << CAP_NET_BIND_SERVICE | 1u << CAP_SYS_CHROOT;

/* Kept out of reach of commands, and in use only while it is needed. */
static const uint64_t own_capabilities = 1u << CAP_SYS_PTRACE;

static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};

void look_into_processes(bool allowed) {
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) != 0) return;
  uint32_t own = data[0].permitted & (uint32_t)own_capabilities;
  data[0].effective = allowed ? data[0].effective | own : data[0].effective & ~own;
  syscall(SYS_capset, &header, data);
}

void drop_privileges(void) {
  for (unsigned long cap = 0; cap < 64; cap++) {
    int held = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
    if (held < 0) break;
    if (held == 0 || (kept_capabilities >> cap & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0) {
      log_line("privileges: cannot drop capability %lu: %s", cap, strerror(errno));
    }
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  if (syscall(SYS_capget, &header, data) == 0) {
    for (int half = 0; half < 2; half++) {
      uint32_t keep = (uint32_t)(kept_capabilities >> (32 * half));
      data[half].permitted &= keep | (uint32_t)(own_capabilities >> (32 * half));
      data[half].effective = data[half].permitted & keep;
      data[half].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) != 0) {
      log_line("privileges: cannot drop capabilities: %s", strerror(errno));
    }
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    log_line("privileges: cannot set no_new_privs: %s", strerror(errno));
  }
}
