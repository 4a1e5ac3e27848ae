#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connection.h"
#include "kept.h"
#include "spawn.h"
#include "streams.h"
#include "terminal.h"
#include "wire.h"

/* An attendant sends a signal within this, or the init does. */
#define ATTENDANT_MS 2000

static struct command **table;
static size_t table_count;
static size_t table_capacity;
static bool any_process;
static int64_t next_tick = NEVER;

size_t commands_count(void) { return table_count; }

struct command *command_at(size_t index) { return table[index]; }

struct command *command_find(uint32_t id) {
  for (size_t i = 0; i < table_count; i++) {
    const struct command *command = table[i];
    if ((command->party.attached || command->announced) && command->party.id == id)
      return table[i];
  }
  return NULL;
}

bool command_known(uint32_t id) { return command_find(id) != NULL; }

static void start_failed(uint32_t id, uint8_t step, int error) {
  uint8_t *payload = connection_frame(MSG_START_FAILED, id, 5);
  if (payload == NULL) return;
  payload[0] = step;
  put_u32(payload + 1, (uint32_t)error);
}

static struct command *new_command(void) {
  if (table_count == COMMANDS_MAX) return NULL;
  if (table_count == table_capacity) {
    size_t capacity = table_capacity == 0 ? 16 : table_capacity * 2;
    struct command **bigger = realloc(table, capacity * sizeof *table);
    if (bigger == NULL) return NULL;
    table = bigger;
    table_capacity = capacity;
  }
  return calloc(1, sizeof(struct command));
}

/* A group that outlived a timed-out command does not own a number that the kernel gave away anew. */
static void forget_group(pid_t pid) {
  for (size_t i = 0; i < table_count; i++) {
    if (table[i]->reaped && table[i]->pid == pid) table[i]->kill_at = NEVER;
  }
}

bool command_start(uint32_t id, const uint8_t *payload, size_t bytes) {
  if (id >= KEPT_ID_FIRST || command_find(id) != NULL) return false;
  struct start_request request;
  int problem = start_request_parse(&request, payload, bytes);
  if (problem < 0) return false;
  if (problem > 0) {
    start_failed(id, STEP_REQUEST, problem);
    return true;
  }
  struct command *command = new_command();
  struct spawned child;
  struct spawn_failure failure = {STEP_RESOURCES, EAGAIN};
  if (command == NULL || !kept_open(command, &request, &failure) ||
      !spawn(&request, &child, &failure)) {
    start_failed(id, failure.step, failure.error);
    if (command != NULL) kept_close(command);
    free(command);
  } else {
    forget_group(child.pid);
    command->party = (struct party){id, true};
    command->pid = child.pid;
    command->terminal = request.want_terminal;
    command->orders_fd = child.orders_fd;
    command->input = (struct input){
        .fd = child.stdin_fd, .shared = command->terminal, .window = STDIN_WINDOW};
    output_open(&command->outputs[0], child.stdout_fd, MSG_STDOUT);
    output_open(&command->outputs[1], child.stderr_fd, MSG_STDERR);
    command->input.closing = command->kept && child.stdin_fd < 0;
    command->deadline = request.timeout_ms == 0 ? NEVER : now_ms() + (int64_t)request.timeout_ms;
    command->kill_at = NEVER;
    if (command->deadline < next_tick) next_tick = command->deadline;
    table[table_count++] = command;
    any_process = true;
    /* The daemon has nothing to say to it: its output, or its end, brings the news along. */
    bool is_told = command->kept || request.want_stdin || request.want_terminal;
    uint8_t *payload = is_told ? connection_frame(MSG_STARTED, id, 4)
                               : connection_frame_held(MSG_STARTED, id, 4);
    if (payload != NULL) put_u32(payload, (uint32_t)command->pid);
  }
  start_request_free(&request);
  return true;
}

void command_write_stdin(struct command *command) {
  struct input *input = &command->input;
  if (input_write(input) != 0 || (input->closing && input->bytes == 0)) input_close(input);
}

/* Handles what asks for signals, with what stands before it. The bytes that need no more. */
static size_t type_signals(struct command *command, const uint8_t *data, size_t bytes) {
  int master = command->input.fd;
  size_t done = 0, at;
  int signal;
  while (master >= 0 && (signal = terminal_signal_in(master, data + done, bytes - done, &at)) != 0) {
    if (!input_skip(&command->input, at + 1)) break;
    const uint8_t echo[] = {'^', data[done + at] ^ 0x40};
    if (terminal_echoes(master)) output_add(&command->party, &command->outputs[0], echo, 2);
    terminal_signal(command->orders_fd, signal);
    done += at + 1;
  }
  return done;
}

bool command_stdin(uint32_t id, const uint8_t *data, size_t bytes) {
  struct command *command = command_find(id);
  /* It may have ended while the bytes were on their way. */
  if (command == NULL) return true;
  if (command->input.closing) return false;
  if (command->orders_fd >= 0) {
    size_t typed = type_signals(command, data, bytes);
    data += typed;
    bytes -= typed;
  }
  int problem = input_take(&command->input, data, bytes);
  /* Nobody reads it any more. */
  if (problem > 0) input_close(&command->input);
  return problem >= 0;
}

bool command_stdin_close(uint32_t id) {
  struct command *command = command_find(id);
  if (command == NULL) return true;
  command->input.closing = true;
  command_write_stdin(command);
  return true;
}

static bool ends(int signal) {
  return signal == SIGKILL || signal == SIGTERM || signal == SIGHUP;
}

static void signal_group(struct command *command, int signal) {
  if (!ends(signal) || !terminal_end(command->orders_fd, signal)) {
    kill(-command->pid, signal);
  } else if (signal == SIGKILL) {
    /* An attendant that does not do it must not keep the command alive. */
    int64_t at = now_ms() + ATTENDANT_MS;
    if (at < command->kill_at) command->kill_at = at;
    if (at < next_tick) next_tick = at;
  }
}

bool command_kill(uint32_t id, int signal) {
  if (signal < 1 || signal > 64) return false;
  struct command *command = command_find(id);
  if (command != NULL && !command->reaped) signal_group(command, signal);
  return true;
}

bool command_credit(uint32_t id, uint8_t stream, uint32_t bytes) {
  if (stream != 1 && stream != 2) return false;
  struct command *command = command_find(id);
  if (command == NULL) return true;
  return output_credit(&command->outputs[stream - 1], bytes);
}

bool command_resize(uint32_t id, uint16_t columns, uint16_t rows) {
  struct command *command = command_find(id);
  if (command == NULL) return true;
  if (!command->terminal) return false;
  if (!command->reaped) terminal_resize(command->outputs[0].fd, command->orders_fd, columns, rows);
  return true;
}

void command_close_terminal(struct command *command) {
  input_close(&command->input);
  output_close(&command->outputs[0]);
  if (command->orders_fd >= 0) close(command->orders_fd);
  command->orders_fd = -1;
}

void command_hang_up(struct command *command) {
  if (!command->reaped) {
    signal_group(command, SIGHUP);
    signal_group(command, SIGCONT);
  }
  command_close_terminal(command);
}

void commands_detach(void) {
  for (size_t i = 0; i < table_count; i++) {
    struct command *command = table[i];
    if (command->kept) continue;
    command->party.attached = false;
    command->input.closing = true;
    if (command->terminal) {
      command_hang_up(command);
    } else {
      command_write_stdin(command);
    }
  }
}

int64_t commands_tick(int64_t now) {
  if (now < next_tick) return next_tick;
  next_tick = NEVER;
  for (size_t i = 0; i < table_count; i++) {
    struct command *command = table[i];
    if (now >= command->deadline && !command->reaped) {
      command->timed_out = true;
      command->deadline = NEVER;
      command->kill_at = now + KILL_GRACE_MS;
      signal_group(command, SIGTERM);
    }
    if (now >= command->kill_at) {
      command->kill_at = NEVER;
      kill(-command->pid, SIGKILL);
    }
    if (command->deadline < next_tick) next_tick = command->deadline;
    if (command->kill_at < next_tick) next_tick = command->kill_at;
  }
  return next_tick;
}

/* Entries of one command: stdin, stdout, stderr. */
#define POLLS_EACH 3u

size_t commands_poll_max(void) { return table_count * POLLS_EACH; }

static size_t add(struct pollfd *polls, size_t count, int fd, short events) {
  polls[count] = (struct pollfd){.fd = fd, .events = events};
  return count + 1;
}

size_t commands_poll(struct pollfd *polls) {
  size_t count = 0;
  for (size_t i = 0; i < table_count; i++) {
    struct command *command = table[i];
    count = add(polls, count, command->input.bytes > 0 ? command->input.fd : -1, POLLOUT);
    for (int o = 0; o < 2; o++) {
      struct output *output = &command->outputs[o];
      count = add(polls, count, output_wanted(&command->party, output) ? output->fd : -1, POLLIN);
    }
  }
  return count;
}

static bool read_output(struct command *command, struct output *output) {
  bool more = output_read(&command->party, output);
  /* A terminal that has ended takes no input either. */
  if (command->terminal && output->fd < 0) command_close_terminal(command);
  return more;
}

void commands_ready(const struct pollfd *polls, size_t count) {
  for (size_t i = 0; i < table_count && i * POLLS_EACH < count; i++) {
    struct command *command = table[i];
    const struct pollfd *of = polls + i * POLLS_EACH;
    if (of[0].revents != 0) command_write_stdin(command);
    for (int o = 0; o < 2; o++) {
      struct output *output = &command->outputs[o];
      short events = of[1 + o].revents;
      if (events == POLLHUP && !command->terminal) {
        /* Nobody writes to the pipe any more, and it is empty. */
        output_close(output);
      } else if (events != 0 && output_wanted(&command->party, output)) {
        read_output(command, output);
      }
    }
  }
}

void commands_reap(void) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) {
      any_process = pid == 0;
      return;
    }
    for (size_t i = 0; i < table_count; i++) {
      struct command *command = table[i];
      if (command->pid != pid || command->reaped) continue;
      command->reaped = true;
      command->status = status;
      command->deadline = NEVER;
      if (command->terminal) {
        output_finish_terminal(&command->outputs[0]);
      } else {
        output_finish(&command->outputs[0]);
        output_finish(&command->outputs[1]);
      }
    }
  }
}

bool commands_any_process(void) { return any_process; }

void commands_mark_oom(pid_t session) {
  for (size_t i = 0; i < table_count; i++) {
    if (!table[i]->reaped && (session == 0 || table[i]->pid == session)) {
      table[i]->oom_killed = true;
    }
  }
}

bool command_send_exit(const struct command *command) {
  uint8_t *payload = connection_frame(MSG_EXIT, command->party.id, 3);
  if (payload == NULL) return false;
  payload[0] = WIFEXITED(command->status) ? (uint8_t)WEXITSTATUS(command->status) : 0;
  payload[1] = WIFSIGNALED(command->status) ? (uint8_t)WTERMSIG(command->status) : 0;
  payload[2] = (uint8_t)((command->timed_out ? EXIT_TIMED_OUT : 0) |
                         (command->oom_killed ? EXIT_OOM_KILLED : 0));
  return true;
}

static void send_exit(struct command *command) {
  if (!command_send_exit(command)) return;
  command->party.attached = false;
  /* Without it the kernel of the guest need not tell that the terminal's last process ended. */
  if (command->terminal) command_close_terminal(command);
}

static bool is_over(const struct command *command) {
  return !command->kept && command->reaped && !command->party.attached && command->outputs[0].fd < 0 &&
         command->outputs[1].fd < 0 && command->kill_at == NEVER;
}

void commands_advance(void) {
  size_t kept = 0;
  for (size_t i = 0; i < table_count; i++) {
    struct command *command = table[i];
    input_grant(&command->party, &command->input);
    if (command->kept) {
      kept_advance(command);
    } else if (command->reaped) {
      input_close(&command->input);
      for (int o = 0; o < 2; o++) {
        struct output *output = &command->outputs[o];
        while (command->party.attached && output_wanted(&command->party, output) &&
               read_output(command, output)) {
        }
      }
      if (command->party.attached && command->outputs[0].remaining == 0 &&
          command->outputs[1].remaining == 0) {
        send_exit(command);
      }
    }
    if (is_over(command)) {
      kept_close(command);
      free(command);
    } else {
      table[kept++] = command;
    }
  }
  table_count = kept;
  /* Another one is first next time, so that a full output buffer starves nobody. */
  if (kept > 1) {
    struct command *first = table[0];
    memmove(table, table + 1, (kept - 1) * sizeof *table);
    table[kept - 1] = first;
  }
}

bool commands_pending(void) {
  if (connection_room() < ROOM_MIN) return false;
  for (size_t i = 0; i < table_count; i++) {
    if (table[i]->kept && kept_pending(table[i])) return true;
  }
  return false;
}
