// Preloaded into dynamic programs of gVisor sandboxes. Some releases of gVisor do not know the
// setting of a terminal's modes that also throws away what was typed ahead (TCSAFLUSH), with which
// editors, pagers and prompts for passwords begin. They know the one that does not.

#include "system-call.h"

#define TCSETS 0x5402
#define TCSADRAIN 1
#define TCSAFLUSH 2
#define EINVAL 22
#define ENOTTY 25

// The kernel's structure is how those of the C libraries begin.
int tcsetattr(int fd, int action, const void *modes) {
  long status = action < 0 || action > TCSAFLUSH
                    ? -EINVAL
                    : system_call(SYS_IOCTL, fd, TCSETS + action, (long)modes, 0, 0);
  if (status == -ENOTTY && action == TCSAFLUSH)
    status = system_call(SYS_IOCTL, fd, TCSETS + TCSADRAIN, (long)modes, 0, 0);
  return result_of(status);
}
