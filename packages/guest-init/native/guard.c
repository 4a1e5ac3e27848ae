#define _GNU_SOURCE
#include "guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#define INTERVAL_MIN_MS 20
#define INTERVAL_MAX_MS 200
/* How fast a guest may fill memory: decides how soon to look again. */
#define FILL_BYTES_PER_MS (4u * 1024u * 1024u)
/* This far above the limit there is no time to choose: everything goes. */
#define EMERGENCY_BYTES (64u * 1024u * 1024u)
#define CANDIDATES_MAX 256u
/*
 * Memory of a killed process is given back some time after its end. So long, only a further rise
 * by this much is held against the others.
 */
#define RELEASE_MS 500
#define RISE_BYTES (8u * 1024u * 1024u)

/* What the guest's kernel may hold beside its processes without being counted. */
#define KERNEL_BYTES (16u * 1024u * 1024u)

struct candidate {
  pid_t pid;
  pid_t session;
  uint64_t bytes;
};

static uint64_t limit;
static int64_t next_look;
static int64_t release_until;
static uint64_t used_at_kill;
static int meminfo_fd = -1;

void guard_setup(uint64_t limit_bytes) {
  if (getpid() != 1) {
    log_line("memory guard: needs to be PID 1, not in force");
    return;
  }
  meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
  if (meminfo_fd < 0) {
    log_line("memory guard: no /proc/meminfo, not in force");
    return;
  }
  limit = limit_bytes;
}

void guard_limit(uint64_t limit_bytes) {
  if (limit > 0 && limit_bytes > 0) limit = limit_bytes;
  next_look = 0;
}

static uint64_t meminfo_bytes(const char *text, const char *name) {
  const char *line = strstr(text, name);
  return line == NULL ? 0 : strtoull(line + strlen(name), NULL, 10) * 1024;
}

static uint64_t used_bytes(void) {
  char text[2048];
  ssize_t n = pread(meminfo_fd, text, sizeof text - 1, 0);
  if (n <= 0) return 0;
  text[n] = 0;
  uint64_t total = meminfo_bytes(text, "MemTotal:");
  uint64_t free_bytes = meminfo_bytes(text, "MemFree:");
  uint64_t used = total > free_bytes ? total - free_bytes : 0;
  /* After a restore, gVisor counts what it has read as memory of its own beside that of processes. */
  uint64_t held = meminfo_bytes(text, "Active:") + meminfo_bytes(text, "Inactive:");
  return used < held + KERNEL_BYTES ? used : held + KERNEL_BYTES;
}

static size_t read_proc(const char *pid, const char *file, char *text, size_t room) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%.16s/%s", pid, file);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, room - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  return n > 0 ? (size_t)n : 0;
}

static bool read_candidate(const char *pid, struct candidate *candidate) {
  char text[1024];
  if (read_proc(pid, "statm", text, sizeof text) == 0) return false;
  char *end;
  strtoull(text, &end, 10);
  candidate->bytes = strtoull(end, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
  candidate->pid = (pid_t)atoi(pid);
  candidate->session = 0;
  if (read_proc(pid, "stat", text, sizeof text) == 0) return false;
  /* The name in parentheses may hold anything: fields are counted from the last parenthesis. */
  const char *fields = strrchr(text, ')');
  int session;
  if (fields != NULL && sscanf(fields + 1, " %*c %*d %*d %d", &session) == 1) {
    candidate->session = session;
  }
  return true;
}

static int by_size(const void *a, const void *b) {
  uint64_t left = ((const struct candidate *)a)->bytes;
  uint64_t right = ((const struct candidate *)b)->bytes;
  return left < right ? 1 : left > right ? -1 : 0;
}

/* Kills the largest processes until what they hold covers the excess. */
static void kill_largest(uint64_t excess) {
  static struct candidate candidates[CANDIDATES_MAX];
  size_t count = 0;
  DIR *proc = opendir("/proc");
  if (proc == NULL) return;
  for (struct dirent *entry = readdir(proc); entry != NULL && count < CANDIDATES_MAX;
       entry = readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (read_candidate(entry->d_name, &candidates[count]) && candidates[count].pid != 1) count++;
  }
  closedir(proc);
  qsort(candidates, count, sizeof *candidates, by_size);
  uint64_t covered = 0;
  for (size_t i = 0; i < count && covered <= excess; i++) {
    if (kill(candidates[i].pid, SIGKILL) != 0) continue;
    covered += candidates[i].bytes;
    if (candidates[i].session != 0) commands_mark_oom(candidates[i].session);
  }
}

int64_t guard_tick(int64_t now) {
  if (limit == 0 || !commands_any_process()) return NEVER;
  if (now < next_look) return next_look;
  uint64_t used = used_bytes();
  int64_t interval = INTERVAL_MIN_MS;
  bool releasing = now < release_until && used <= used_at_kill + RISE_BYTES;
  if (used > limit + EMERGENCY_BYTES && !releasing) {
    commands_mark_oom(0);
    kill(-1, SIGKILL);
    used_at_kill = used;
    release_until = now + RELEASE_MS;
    log_line("memory guard: %llu bytes in use, every process killed", (unsigned long long)used);
  } else if (used > limit) {
    if (!releasing) {
      kill_largest(used - limit);
      used_at_kill = used;
      release_until = now + RELEASE_MS;
    }
  } else {
    release_until = 0;
    interval += (int64_t)((limit - used) / FILL_BYTES_PER_MS);
    if (interval > INTERVAL_MAX_MS) interval = INTERVAL_MAX_MS;
  }
  next_look = now_ms() + interval;
  return next_look;
}
