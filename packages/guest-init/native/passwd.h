/* Users of the guest, read from its own /etc/passwd and /etc/group. */
#ifndef SANDPORT_PASSWD_H
#define SANDPORT_PASSWD_H

#include <sys/types.h>

#define GROUPS_MAX 256

struct user {
  char name[64];
  char home[512];
  char shell[256];
  uid_t uid;
  gid_t gid;
  size_t group_count;
  gid_t groups[GROUPS_MAX];
};

/*
 * Finds a user by name or number. A number that nobody has, and `root` where there is no passwd,
 * work too: group of the same number, home `/`. Returns 0 or an errno (ENOENT: no such user). The
 * user is valid until the next call, and kept as long as both files stay as they are.
 */
int user_find(const char *name_or_number, const struct user **user);

#endif
