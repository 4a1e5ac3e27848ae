/* The table of commands: what runs, its pipes or terminal, its end. */
#ifndef SANDPORT_COMMAND_H
#define SANDPORT_COMMAND_H

#include <poll.h>

#include "init.h"
#include "streams.h"

struct command {
  struct party party;
  pid_t pid;
  bool reaped;
  bool timed_out;
  bool oom_killed;
  /* It outlives connections to the daemon, until the daemon forgets it. */
  bool kept;
  uint8_t key[KEY_BYTES];
  /* The daemon knows it by its number, but wants nothing of it yet. */
  bool announced;
  bool told_exit;
  /* What outputs[0] reads and the input writes is the master of its terminal. */
  bool terminal;
  /* To the attendant of the terminal, or -1. */
  int orders_fd;
  int status;
  struct output outputs[2];
  struct input input;
  int64_t deadline;
  int64_t kill_at;
};

/* The table, in no order. */
size_t commands_count(void);
struct command *command_at(size_t index);

/* The one that the daemon knows by this number, or NULL. */
struct command *command_find(uint32_t id);

/* Tells the daemon how it ended. False: there was no room. */
bool command_send_exit(const struct command *command);

/* What it left of its terminal is closed, and what runs in it hangs up. */
void command_hang_up(struct command *command);
void command_close_terminal(struct command *command);

/* Writes what waits for its stdin, and closes that at its end. */
void command_write_stdin(struct command *command);

/* True while the daemon knows a command by this number. */
bool command_known(uint32_t id);

/* Frames from the daemon. False: the frame makes no sense. */
bool command_start(uint32_t id, const uint8_t *payload, size_t bytes);
bool command_stdin(uint32_t id, const uint8_t *data, size_t bytes);
bool command_stdin_close(uint32_t id);
bool command_kill(uint32_t id, int signal);
bool command_credit(uint32_t id, uint8_t stream, uint32_t bytes);
bool command_resize(uint32_t id, uint16_t columns, uint16_t rows);

/*
 * The daemon is gone: commands go on, but for the kept ones what they write is thrown away, and
 * terminals hang up.
 */
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

/* True when something waits for nothing but room in the connection. */
bool commands_pending(void);

#endif
