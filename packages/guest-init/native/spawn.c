#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "passwd.h"
#include "wire.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static struct rlimit original_files;
static bool reset_oom_score;
static bool have_close_range;
/* What a command without stdin reads; -1 when the image has none. */
static int null_fd = -1;

static int close_from(unsigned int first) {
#ifdef SYS_close_range
  return (int)syscall(SYS_close_range, first, ~0u, 0u);
#else
  (void)first;
  errno = ENOSYS;
  return -1;
#endif
}

static bool oom_score_is_set(void) {
  char text[8] = "";
  int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 && atoi(text) != 0;
}

void spawn_setup(void) {
  have_close_range = close_from(3) == 0;
  if (!have_close_range) {
    for (int fd = 3; fd < 1024; fd++) close(fd);
  }
  null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st;
  if (null_fd >= 0 && (fstat(null_fd, &st) != 0 || !S_ISCHR(st.st_mode))) {
    close(null_fd);
    null_fd = -1;
  }
  reset_oom_score = oom_score_is_set();
  getrlimit(RLIMIT_NOFILE, &original_files);
  struct rlimit most = {original_files.rlim_max, original_files.rlim_max};
  setrlimit(RLIMIT_NOFILE, &most);
}

/* Adds NAME=value to an environment that has no NAME. */
static void default_env(char **env, size_t *count, const char *name, const char *value) {
  size_t name_bytes = strlen(name);
  for (size_t i = 0; i < *count; i++) {
    if (strncmp(env[i], name, name_bytes) == 0 && env[i][name_bytes] == '=') return;
  }
  size_t bytes = name_bytes + strlen(value) + 2;
  char *entry = malloc(bytes);
  if (entry == NULL) return;
  memcpy(entry, name, name_bytes);
  entry[name_bytes] = '=';
  memcpy(entry + name_bytes + 1, value, bytes - name_bytes - 1);
  env[(*count)++] = entry;
}

static char **complete_env(char **given, const struct user *user) {
  size_t count = 0;
  while (given[count] != NULL) count++;
  char **env = calloc(count + 6, sizeof *env);
  if (env == NULL) return given;
  memcpy(env, given, count * sizeof *env);
  default_env(env, &count, "PATH", DEFAULT_PATH);
  default_env(env, &count, "HOME", user->home);
  default_env(env, &count, "SHELL", user->shell);
  if (user->name[0] != 0) {
    default_env(env, &count, "USER", user->name);
    default_env(env, &count, "LOGNAME", user->name);
  }
  return env;
}

static _Noreturn void child_fail(int status_fd, uint8_t step, int error) {
  uint8_t report[5] = {step};
  put_u32(report + 1, (uint32_t)error);
  while (write(status_fd, report, sizeof report) < 0 && errno == EINTR) {
  }
  _exit(127);
}

static void become(const struct user *user, int status_fd) {
  /* Without privilege only the own user can be had, as it is. */
  if (geteuid() != 0 && geteuid() == user->uid) return;
  if (setgroups(user->group_count, user->groups) != 0 ||
      setresgid(user->gid, user->gid, user->gid) != 0 ||
      setresuid(user->uid, user->uid, user->uid) != 0) {
    child_fail(status_fd, STEP_USER, errno);
  }
}

static _Noreturn void child(const struct start_request *request, int in, int out, int err,
                            int status_fd) {
  setsid();
  if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) {
    child_fail(status_fd, STEP_RESOURCES, errno);
  }
  if (have_close_range) {
    if (status_fd != 3 && dup3(status_fd, 3, O_CLOEXEC) == 3) status_fd = 3;
    if (status_fd == 3) close_from(4);
  }
  setrlimit(RLIMIT_NOFILE, &original_files);
  if (reset_oom_score) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "0", 1) < 0) {
      /* Then the kernel prefers another victim; nothing to be done here. */
    }
    if (fd >= 0) close(fd);
  }
  static struct user user;
  int problem = user_lookup(request->user == NULL ? "root" : request->user, &user);
  if (problem != 0) child_fail(status_fd, STEP_USER, problem);
  become(&user, status_fd);
  umask(022);
  if (chdir(request->cwd == NULL ? "/" : request->cwd) != 0) {
    child_fail(status_fd, STEP_CWD, errno);
  }
  environ = complete_env(request->env, &user);
  /* Handlers of the init go away with exec; nothing is ignored; nothing stays blocked. */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvp(request->args[0], request->args);
  child_fail(status_fd, STEP_EXEC, errno);
}

static void close_pair(int pair[2]) {
  if (pair[0] >= 0) close(pair[0]);
  if (pair[1] >= 0) close(pair[1]);
}

int spawn(const struct start_request *request, struct spawned *spawned) {
  int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, status[2] = {-1, -1};
  bool pipe_in = request->want_stdin || null_fd < 0;
  int problem = 0;
  if (pipe2(status, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
      (pipe_in && pipe2(in, O_CLOEXEC) != 0)) {
    problem = errno;
  }
  pid_t pid = problem == 0 ? fork() : -1;
  if (pid == 0) child(request, pipe_in ? in[0] : null_fd, out[1], err[1], status[1]);
  if (problem == 0 && pid < 0) problem = errno;
  if (problem != 0) {
    close_pair(in);
    close_pair(out);
    close_pair(err);
    close_pair(status);
    return problem;
  }
  close(status[1]);
  close(out[1]);
  close(err[1]);
  if (pipe_in) close(in[0]);
  if (pipe_in && !request->want_stdin) {
    close(in[1]);
    in[1] = -1;
  }
  /* A pipe's two ends are two open files: the command's end stays blocking. */
  fcntl(status[0], F_SETFL, O_NONBLOCK);
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  fcntl(err[0], F_SETFL, O_NONBLOCK);
  if (in[1] >= 0) fcntl(in[1], F_SETFL, O_NONBLOCK);
  *spawned = (struct spawned){pid, status[0], in[1], out[0], err[0]};
  return 0;
}
