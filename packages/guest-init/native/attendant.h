/*
 * The attendant of a terminal: where the kernel's terminals send no signals (gVisor), a process in
 * the terminal's session does it. Only such a process can learn which group is in front.
 */
#ifndef SANDPORT_ATTENDANT_H
#define SANDPORT_ATTENDANT_H

#include "init.h"

/*
 * In an order, beside the number of a signal that ends the session: that one is for its leader, and
 * another group in front gets SIGHUP before. A signal alone is for the group in front.
 */
#define ORDER_ENDS 0x80

/*
 * Starts one, from the process that leads the session; it does what it reads from `orders`, until
 * that ends. False with errno.
 */
bool attendant_start(int slave, int orders);

#endif
