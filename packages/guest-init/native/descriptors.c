#define _GNU_SOURCE
#include "descriptors.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The kernel has no such call. Written before anything is spawned. */
static bool no_close_range;

static bool close_range_from(unsigned int first) {
#ifdef SYS_close_range
  if (no_close_range) return false;
  bool closed = syscall(SYS_close_range, first, ~0u, 0u) == 0;
  if (!closed && errno == ENOSYS) no_close_range = true;
  return closed;
#else
  (void)first;
  return false;
#endif
}

/* One pass over what is listed, which may miss what moves up while others are closed. */
static int close_pass(int directory, unsigned int first) {
  _Alignas(struct dirent64) char entries[4096];
  int closed = 0;
  long bytes;
  while ((bytes = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0) {
    for (long at = 0; at < bytes;) {
      const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
      at += entry->d_reclen;
      if (!isdigit((unsigned char)entry->d_name[0])) continue;
      long fd = strtol(entry->d_name, NULL, 10);
      if (fd < (long)first || fd == directory) continue;
      closed += close((int)fd) == 0;
    }
  }
  return bytes < 0 ? -1 : closed;
}

/*
 * By the list of those that are open: gVisor has no close_range, and its system calls are too slow
 * to try every number. False where there is no such list.
 */
static bool close_listed(unsigned int first) {
  int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  struct statfs place;
  int closed = -1;
  if (fstatfs(directory, &place) == 0 && place.f_type == PROC_SUPER_MAGIC) {
    do {
      closed = lseek(directory, 0, SEEK_SET) == 0 ? close_pass(directory, first) : -1;
    } while (closed > 0);
  }
  close(directory);
  return closed == 0;
}

void close_from(unsigned int first) {
  if (close_range_from(first) || close_listed(first)) return;
  struct rlimit files;
  rlim_t end = getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : 1024;
  for (rlim_t fd = first; fd < end; fd++) close((int)fd);
}

void close_from_if_cheap(unsigned int first) { close_range_from(first); }
