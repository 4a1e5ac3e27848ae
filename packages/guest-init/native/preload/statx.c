// Preloaded into dynamic programs of gVisor sandboxes. Some releases of gVisor answer EINVAL to
// statx with AT_NO_AUTOMOUNT, which coreutils always passes. Nothing is automounted in a sandbox,
// so the flag can be left out. Freestanding: works beside any C library.

#include "system-call.h"

#define AT_NO_AUTOMOUNT 0x800

int statx(int directory, const char *path, int flags, unsigned mask, void *result) {
  return result_of(system_call(SYS_STATX, directory, (long)path, flags & ~AT_NO_AUTOMOUNT,
                               (long)mask, (long)result));
}
