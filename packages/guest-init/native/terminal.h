/* Terminals of commands. */
#ifndef SANDPORT_TERMINAL_H
#define SANDPORT_TERMINAL_H

#include "init.h"

struct terminal {
  /* Of the init; does not block. */
  int master;
  /* Of the command. */
  int slave;
};

/* Opens one that belongs to the user. 0 or an errno. */
int terminal_open(struct terminal *terminal, uid_t uid, uint16_t columns, uint16_t rows);

/* Makes it the controlling terminal of this process, which leads a session without one. */
bool terminal_control(int slave);

void terminal_resize(int master, uint16_t columns, uint16_t rows);

#endif
