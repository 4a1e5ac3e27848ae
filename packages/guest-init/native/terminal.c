#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

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
  *terminal = (struct terminal){master, slave};
  return 0;
}

bool terminal_control(int slave) { return ioctl(slave, TIOCSCTTY, 0) == 0; }

void terminal_resize(int master, uint16_t columns, uint16_t rows) {
  if (master >= 0) set_size(master, columns, rows);
}
