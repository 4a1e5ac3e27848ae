#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "attendant.h"

static void set_size(int fd, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  ioctl(fd, TIOCSWINSZ, &size);
}

static int open_slave(int master) {
  int locked = 0;
  unsigned int number;
  if (ioctl(master, TIOCSPTLCK, &locked) != 0 || ioctl(master, TIOCGPTN, &number) != 0) return -1;
  char path[32];
  snprintf(path, sizeof path, "/dev/pts/%u", number);
  return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* gVisor's terminals know neither signals nor packets. */
static bool kernel_signals(int master) {
  int packets;
  return ioctl(master, TIOCGPKT, &packets) == 0;
}

static int open_orders(struct terminal *terminal) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) != 0) {
    int problem = errno;
    close(terminal->master);
    close(terminal->slave);
    return problem;
  }
  fcntl(pair[1], F_SETFL, O_NONBLOCK);
  terminal->orders_in = pair[0];
  terminal->orders_out = pair[1];
  return 0;
}

int terminal_open(struct terminal *terminal, uid_t uid, uint16_t columns, uint16_t rows) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0) return errno;
  int slave = open_slave(master);
  if (slave < 0) {
    int problem = errno;
    close(master);
    return problem;
  }
  /* Where the kernel does not know owners of terminals, their programs get by without. */
  if (fchown(slave, uid, (gid_t)-1) == 0) fchmod(slave, 0620);
  struct termios modes;
  if (tcgetattr(slave, &modes) == 0) {
    modes.c_iflag |= IUTF8;
    tcsetattr(slave, TCSANOW, &modes);
  }
  set_size(slave, columns, rows);
  *terminal = (struct terminal){master, slave, -1, -1};
  return kernel_signals(master) ? 0 : open_orders(terminal);
}

bool terminal_control(int slave, int orders_in) {
  if (ioctl(slave, TIOCSCTTY, 0) != 0) return false;
  return orders_in < 0 || attendant_start(slave, orders_in);
}

void terminal_resize(int master, int orders, uint16_t columns, uint16_t rows) {
  if (master < 0) return;
  set_size(master, columns, rows);
  terminal_signal(orders, SIGWINCH);
}

int terminal_signal_in(int master, const uint8_t *data, size_t bytes, size_t *at) {
  struct termios modes;
  if (tcgetattr(master, &modes) != 0 || !(modes.c_lflag & ISIG)) return 0;
  for (size_t i = 0; i < bytes; i++) {
    *at = i;
    /* 0 stands for no key. */
    if (data[i] == 0) continue;
    if (data[i] == modes.c_cc[VINTR]) return SIGINT;
    if (data[i] == modes.c_cc[VQUIT]) return SIGQUIT;
    if (data[i] == modes.c_cc[VSUSP]) return SIGTSTP;
  }
  return 0;
}

/* False also when the attendant is behind, or the guest has killed it. */
static bool send_order(int orders, uint8_t order) {
  return orders >= 0 && write(orders, &order, 1) == 1;
}

void terminal_signal(int orders, int signal) { send_order(orders, (uint8_t)signal); }

bool terminal_end(int orders, int signal) {
  return send_order(orders, (uint8_t)(ORDER_ENDS | signal));
}

bool terminal_echoes(int master) {
  struct termios modes;
  return tcgetattr(master, &modes) == 0 && (modes.c_lflag & ECHO) && (modes.c_lflag & ECHOCTL);
}
