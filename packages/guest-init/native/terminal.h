/* Terminals of commands. */
#ifndef SANDPORT_TERMINAL_H
#define SANDPORT_TERMINAL_H

#include "init.h"

struct terminal {
  /* Of the init; does not block. */
  int master;
  /* Of the command. */
  int slave;
  /* To and of its attendant; -1 where the kernel sends the signals of terminals. */
  int orders_out;
  int orders_in;
};

/* Opens one that belongs to the user. 0 or an errno. */
int terminal_open(struct terminal *terminal, uid_t uid, uint16_t columns, uint16_t rows);

/*
 * Makes it the controlling terminal of this process, which leads a session without one, and starts
 * the attendant if it needs one. False with errno.
 */
bool terminal_control(int slave, int orders_in);

/* The processes in front learn of it. `orders` may be -1. */
void terminal_resize(int master, int orders, uint16_t columns, uint16_t rows);

/*
 * Finds the first byte that asks for a signal, if the modes of the terminal allow it: the signal
 * and, in `at`, where the byte is; else 0.
 */
int terminal_signal_in(int master, const uint8_t *data, size_t bytes, size_t *at);

/* To the processes in front, by the attendant. */
void terminal_signal(int orders, int signal);

/* To the command itself; what is in front of it hangs up. False when there is no attendant. */
bool terminal_end(int orders, int signal);

/* True when such a byte is to be seen as ^C is. */
bool terminal_echoes(int master);

#endif
