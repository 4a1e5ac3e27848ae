/* The table of commands: what runs, its pipes, its credit, its end. */
#ifndef SANDPORT_COMMAND_H
#define SANDPORT_COMMAND_H

#include <poll.h>

#include "init.h"

struct output {
  int fd;
  uint8_t type;
  uint32_t credit;
  /* After the main process has ended: bytes still to deliver. SIZE_MAX before. */
  size_t remaining;
};

struct command {
  uint32_t id;
  pid_t pid;
  /* The daemon knows the id: frames go both ways. False once EXIT is sent or the daemon left. */
  bool attached;
  bool reaped;
  bool timed_out;
  bool oom_killed;
  int status;
  struct output outputs[2];
  int stdin_fd;
  bool stdin_closing;
  uint8_t *stdin_data;
  size_t stdin_head;
  size_t stdin_bytes;
  /* Bytes taken from the window by the daemon, and bytes to grant back. */
  size_t stdin_held;
  size_t stdin_grant;
  int64_t deadline;
  int64_t kill_at;
};

/* Frames from the daemon. False: the frame makes no sense. */
bool command_start(uint32_t id, const uint8_t *payload, size_t bytes);
bool command_stdin(uint32_t id, const uint8_t *data, size_t bytes);
bool command_stdin_close(uint32_t id);
bool command_kill(uint32_t id, int signal);
bool command_credit(uint32_t id, uint8_t stream, uint32_t bytes);

/* The daemon is gone: commands go on, what they write is thrown away. */
void commands_detach(void);

/* Enforces timeouts; returns when to call again, or NEVER. */
int64_t commands_tick(int64_t now);

/* Adds what the commands wait for; `polls` has room for commands_poll_max() entries. */
size_t commands_poll_max(void);
size_t commands_poll(struct pollfd *polls);

/* Handles what poll said about the entries that commands_poll added. */
void commands_ready(const struct pollfd *polls, size_t count);

/* Collects every process that has ended. */
void commands_reap(void);

/* True while any process but the init itself lives. */
bool commands_any_process(void);

/* The memory guard killed a process of this session. */
void commands_mark_oom(pid_t session);

/* Sends what can be sent and forgets what is over. */
void commands_advance(void);

#endif
