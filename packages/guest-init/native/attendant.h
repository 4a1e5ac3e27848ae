/*
 * The attendant of a terminal: where the kernel's terminals send no signals (gVisor), a process in
 * the terminal's session does it. Only such a process can learn which group is in front.
 */
#ifndef SANDPORT_ATTENDANT_H
#define SANDPORT_ATTENDANT_H

#include "init.h"

/*
 * Starts one, from the process that leads the session; it sends each signal whose number it reads
 * from `orders`, until that ends. False with errno.
 */
bool attendant_start(int slave, int orders);

#endif
