// Preloaded into dynamic programs of gVisor sandboxes. Some releases of gVisor answer EINVAL to
// statx with AT_NO_AUTOMOUNT, which coreutils always passes. Nothing is automounted in a sandbox,
// so the flag can be left out. Freestanding: works beside any C library.

#define AT_NO_AUTOMOUNT 0x800

#if defined(__x86_64__)
#define SYS_STATX 332
static long system_call5(long n, long a, long b, long c, long d, long e) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
#define SYS_STATX 291
static long system_call5(long n, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                   : "memory");
  return x0;
}
#else
#error "this processor is not supported"
#endif

extern int *__errno_location(void);

int statx(int directory, const char *path, int flags, unsigned mask, void *result) {
  long status = system_call5(SYS_STATX, directory, (long)path, flags & ~AT_NO_AUTOMOUNT,
                             (long)mask, (long)result);
  if (status < 0) {
    *__errno_location() = (int)-status;
    return -1;
  }
  return 0;
}
