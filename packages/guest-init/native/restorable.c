#define _GNU_SOURCE
#include "restorable.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "privileges.h"

/* As statfs reports the file systems that gVisor serves from the host. */
#define HOST_FILES_MAGIC 0x01021997

static const char deleted[] = " (deleted)";

/* True for a text that has the suffix, which is then cut off. */
static bool cut_suffix(char *text) {
  size_t bytes = strlen(text);
  size_t suffix = sizeof deleted - 1;
  if (bytes <= suffix || strcmp(text + bytes - suffix, deleted) != 0) return false;
  text[bytes - suffix] = 0;
  return true;
}

static bool on_host(const char *link) {
  struct statfs fs;
  return statfs(link, &fs) == 0 && fs.f_type == HOST_FILES_MAGIC;
}

/* True when the file behind the link is the one that its path names. */
static bool link_holds(const char *link, char *path, size_t room) {
  ssize_t bytes = readlink(link, path, room - 1);
  if (bytes <= 0 || path[0] != '/') return true;
  path[bytes] = 0;
  struct stat held, named;
  if (stat(link, &held) != 0 || !on_host(link)) return true;
  if (stat(path, &named) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev) {
    return true;
  }
  cut_suffix(path);
  return false;
}

/* The same for what a process has mapped: lines of /proc/PID/maps. */
static bool maps_hold(const char *pid, char *path, size_t room) {
  char file[64];
  snprintf(file, sizeof file, "/proc/%.16s/maps", pid);
  FILE *maps = fopen(file, "re");
  if (maps == NULL) return true;
  char line[4352];
  bool holds = true;
  unsigned long long last = 0;
  while (holds && fgets(line, sizeof line, maps) != NULL) {
    unsigned int major, minor;
    unsigned long long inode;
    int at = 0;
    line[strcspn(line, "\n")] = 0;
    if (sscanf(line, "%*s %*s %*s %x:%x %llu %n", &major, &minor, &inode, &at) != 3) continue;
    if (inode == 0 || inode == last || at == 0 || line[at] != '/') continue;
    last = inode;
    char *name = line + at;
    bool gone = cut_suffix(name);
    struct stat named;
    if (!gone && stat(name, &named) == 0 && named.st_ino == inode) continue;
    /* Memory of its own kind (/dev/zero, memfd, shm) is kept with the rest. */
    struct statfs fs;
    char parent[4352];
    snprintf(parent, sizeof parent, "%s", name);
    char *slash = strrchr(parent, '/');
    if (slash == parent) slash++;
    *slash = 0;
    if (statfs(parent, &fs) == 0 && fs.f_type != HOST_FILES_MAGIC) continue;
    if (strncmp(name, "/memfd:", 7) == 0 || strncmp(name, "/dev/", 5) == 0) continue;
    snprintf(path, room, "%s", name);
    holds = false;
  }
  fclose(maps);
  return holds;
}

static bool process_holds(const char *pid, char *path, size_t room) {
  static const char *const single[] = {"cwd", "exe"};
  char link[128];
  for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
    snprintf(link, sizeof link, "/proc/%.16s/%s", pid, single[i]);
    if (!link_holds(link, path, room)) return false;
  }
  snprintf(link, sizeof link, "/proc/%.16s/fd", pid);
  DIR *fds = opendir(link);
  if (fds == NULL) return true;
  bool holds = true;
  for (struct dirent *entry = readdir(fds); holds && entry != NULL; entry = readdir(fds)) {
    if (entry->d_name[0] == '.') continue;
    snprintf(link, sizeof link, "/proc/%.16s/fd/%.16s", pid, entry->d_name);
    holds = link_holds(link, path, room);
  }
  closedir(fds);
  return holds && maps_hold(pid, path, room);
}

bool restorable(char *reason, size_t room) {
  /* Only PID 1 sees the processes of its sandbox and no others. */
  if (getpid() != 1) return true;
  char path[4096];
  DIR *proc = opendir("/proc");
  if (proc == NULL) return true;
  bool all = true;
  look_into_processes(true);
  for (struct dirent *entry = readdir(proc); all && entry != NULL; entry = readdir(proc)) {
    const char *pid = entry->d_name;
    if (pid[0] < '1' || pid[0] > '9' || strcmp(pid, "1") == 0) continue;
    if (process_holds(pid, path, sizeof path)) continue;
    snprintf(reason, room, "process %.16s holds a file that was removed or replaced: %.400s", pid,
             path);
    all = false;
  }
  look_into_processes(false);
  closedir(proc);
  return all;
}
