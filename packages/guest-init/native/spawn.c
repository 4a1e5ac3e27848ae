#define _GNU_SOURCE
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "passwd.h"
#include "terminal.h"
#include "wire.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static struct rlimit original_files;
static bool raised_files;
static bool reset_oom_score;
static uid_t own_user;
/* What a command without stdin reads; -1 when the image has none. */
static int null_fd = -1;

static bool oom_score_is_set(void) {
  char text[8] = "";
  int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 && atoi(text) != 0;
}

void spawn_setup(void) {
  close_from(3);
  null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st;
  if (null_fd >= 0 && (fstat(null_fd, &st) != 0 || !S_ISCHR(st.st_mode))) {
    close(null_fd);
    null_fd = -1;
  }
  reset_oom_score = oom_score_is_set();
  own_user = geteuid();
  getrlimit(RLIMIT_NOFILE, &original_files);
  struct rlimit most = {original_files.rlim_max, original_files.rlim_max};
  raised_files = most.rlim_cur != original_files.rlim_cur && setrlimit(RLIMIT_NOFILE, &most) == 0;
  umask(022);
}

/* Adds NAME=value to an environment that has no NAME. `text` has the room. */
static void default_env(char **env, size_t *count, char **text, const char *name,
                        const char *value) {
  size_t name_bytes = strlen(name);
  for (size_t i = 0; i < *count; i++) {
    if (strncmp(env[i], name, name_bytes) == 0 && env[i][name_bytes] == '=') return;
  }
  env[(*count)++] = *text;
  env[*count] = NULL;
  *text += sprintf(*text, "%s=%s", name, value) + 1;
}

/* The texts lie in a buffer that the next call uses again. */
static void complete_env(char **env, const struct user *user, bool terminal) {
  static char texts[sizeof DEFAULT_PATH + sizeof *user + 64];
  char *text = texts;
  size_t count = 0;
  while (env[count] != NULL) count++;
  default_env(env, &count, &text, "PATH", DEFAULT_PATH);
  default_env(env, &count, &text, "HOME", user->home);
  default_env(env, &count, &text, "SHELL", user->shell);
  if (terminal) default_env(env, &count, &text, "TERM", "xterm-256color");
  if (user->name[0] == 0) return;
  default_env(env, &count, &text, "USER", user->name);
  default_env(env, &count, &text, "LOGNAME", user->name);
}

static const char *env_value(char **env, const char *name) {
  size_t bytes = strlen(name);
  for (; *env != NULL; env++) {
    if (strncmp(*env, name, bytes) == 0 && (*env)[bytes] == '=') return *env + bytes + 1;
  }
  return "";
}

/*
 * What the child does between clone and exec. It shares the memory of the init, which sleeps
 * meanwhile: no allocation, nothing written but the failure.
 */
struct child_plan {
  const struct start_request *request;
  const struct user *user;
  int in;
  int out;
  int err;
  int orders;
  volatile struct spawn_failure failure;
};

static _Noreturn void child_fail(struct child_plan *plan, uint8_t step, int error) {
  plan->failure.step = step;
  plan->failure.error = error;
  _exit(127);
}

static bool become(const struct user *user) {
  /* Without privilege only the own user can be had, as it is. */
  if (own_user != 0 && own_user == user->uid) return true;
  return setgroups(user->group_count, user->groups) == 0 &&
         setresgid(user->gid, user->gid, user->gid) == 0 &&
         setresuid(user->uid, user->uid, user->uid) == 0;
}

/* Runs one file; a script without #! is the shell's. Returns only on failure. */
static void exec_file(const char *file, char **args, char **env) {
  execve(file, args, env);
  if (errno != ENOEXEC) return;
  args[0] = (char *)file;
  args[-1] = (char *)"/bin/sh";
  execve("/bin/sh", args - 1, env);
}

/* Looks the program up in the PATH of its own environment. Returns the errno. */
static int exec_program(char **args, char **env) {
  const char *name = args[0];
  size_t name_bytes = strlen(name);
  if (name_bytes == 0) return ENOENT;
  if (strchr(name, '/') != NULL) {
    exec_file(name, args, env);
    return errno;
  }
  char file[PATH_MAX];
  int problem = ENOENT;
  const char *path = env_value(env, "PATH");
  for (;;) {
    size_t bytes = strcspn(path, ":");
    if (bytes + name_bytes + 2 <= sizeof file) {
      memcpy(file, path, bytes);
      /* An empty entry is the working directory. */
      if (bytes > 0) file[bytes] = '/';
      memcpy(file + bytes + (bytes > 0), name, name_bytes + 1);
      exec_file(file, args, env);
      if (errno == EACCES) {
        problem = EACCES;
      } else if (errno != ENOENT && errno != ENOTDIR && errno != ENODEV && errno != ESTALE) {
        return errno;
      }
    }
    if (path[bytes] == 0) return problem;
    path += bytes + 1;
  }
}

static void reset_oom(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "0", 1) < 0) {
    /* Then the kernel prefers another victim; nothing to be done here. */
  }
  close(fd);
}

static int child(void *argument) {
  struct child_plan *plan = argument;
  const struct start_request *request = plan->request;
  setsid();
  if (request->want_terminal && !terminal_control(plan->in, plan->orders)) {
    child_fail(plan, STEP_RESOURCES, errno);
  }
  if (dup2(plan->in, 0) < 0 || dup2(plan->out, 1) < 0 || dup2(plan->err, 2) < 0) {
    child_fail(plan, STEP_RESOURCES, errno);
  }
  /* Every descriptor of the init is close-on-exec; this is the second bolt. */
  close_from_if_cheap(3);
  if (raised_files) setrlimit(RLIMIT_NOFILE, &original_files);
  if (reset_oom_score) reset_oom();
  if (!become(plan->user)) child_fail(plan, STEP_USER, errno);
  if (chdir(request->cwd == NULL ? "/" : request->cwd) != 0) child_fail(plan, STEP_CWD, errno);
  /* Exec takes the handlers of the init away; nothing is ignored, nothing stays blocked. */
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  child_fail(plan, STEP_EXEC, exec_program(request->args, request->env));
}

/* The ends of what a command reads and writes: of the init, and of the command. */
struct ends {
  int ours[3];
  int theirs[3];
  /* To the attendant of a terminal, and its own end. */
  int orders_out;
  int orders_in;
};

static void close_all(const int fds[3]) {
  for (int i = 0; i < 3; i++) {
    bool again = (i > 0 && fds[i] == fds[0]) || (i > 1 && fds[i] == fds[1]);
    if (fds[i] >= 0 && fds[i] != null_fd && !again) close(fds[i]);
  }
}

static bool open_pipe(struct ends *ends, int number) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) != 0) return false;
  bool in = number == 0;
  ends->ours[number] = pair[in];
  ends->theirs[number] = pair[!in];
  /* A pipe's two ends are two open files: the command's end stays blocking. */
  return fcntl(pair[in], F_SETFL, O_NONBLOCK) == 0;
}

static bool open_pipes(struct ends *ends, bool want_stdin) {
  if (!open_pipe(ends, 1) || !open_pipe(ends, 2)) return false;
  if (!want_stdin && null_fd >= 0) {
    ends->theirs[0] = null_fd;
    return true;
  }
  if (!open_pipe(ends, 0)) return false;
  if (!want_stdin) {
    close(ends->ours[0]);
    ends->ours[0] = -1;
  }
  return true;
}

/* 0 or an errno; then some may be open. */
static int open_ends(const struct start_request *request, const struct user *user,
                     struct ends *ends) {
  *ends = (struct ends){{-1, -1, -1}, {-1, -1, -1}, -1, -1};
  if (!request->want_terminal) return open_pipes(ends, request->want_stdin) ? 0 : errno;
  struct terminal terminal;
  int problem = terminal_open(&terminal, user->uid, request->columns, request->rows);
  if (problem != 0) return problem;
  ends->orders_out = terminal.orders_out;
  ends->orders_in = terminal.orders_in;
  ends->ours[0] = ends->ours[1] = terminal.master;
  for (int i = 0; i < 3; i++) ends->theirs[i] = terminal.slave;
  return 0;
}

bool spawn(const struct start_request *request, struct spawned *spawned,
           struct spawn_failure *failure) {
  static uint8_t stack[64 * 1024] __attribute__((aligned(16)));
  const struct user *user;
  int problem = user_find(request->user == NULL ? "root" : request->user, &user);
  if (problem != 0) {
    *failure = (struct spawn_failure){STEP_USER, problem};
    return false;
  }
  complete_env(request->env, user, request->want_terminal);
  struct ends ends;
  problem = open_ends(request, user, &ends);
  if (problem != 0) {
    *failure = (struct spawn_failure){STEP_RESOURCES, problem};
    close_all(ends.ours);
    close_all(ends.theirs);
    return false;
  }
  struct child_plan plan = {.request = request,
                            .user = user,
                            .in = ends.theirs[0],
                            .out = ends.theirs[1],
                            .err = ends.theirs[2],
                            .orders = ends.orders_in};
  pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
  if (pid < 0) plan.failure = (struct spawn_failure){STEP_RESOURCES, errno};
  close_all(ends.theirs);
  if (ends.orders_in >= 0) close(ends.orders_in);
  if (plan.failure.step != 0) {
    *failure = (struct spawn_failure){plan.failure.step, plan.failure.error};
    close_all(ends.ours);
    if (ends.orders_out >= 0) close(ends.orders_out);
    if (pid > 0) waitpid(pid, NULL, 0);
    return false;
  }
  *spawned = (struct spawned){pid, ends.ours[0], ends.ours[1], ends.ours[2], ends.orders_out};
  return true;
}
