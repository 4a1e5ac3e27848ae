// System calls without a C library.
#ifndef SANDPORT_SYSTEM_CALL_H
#define SANDPORT_SYSTEM_CALL_H

#if defined(__x86_64__)
#define SYS_STATX 332
#define SYS_IOCTL 16
static inline long system_call(long n, long a, long b, long c, long d, long e) {
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
#define SYS_IOCTL 29
static inline long system_call(long n, long a, long b, long c, long d, long e) {
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

// As the C library gives results back.
static inline int result_of(long status) {
  if (status >= 0) return (int)status;
  *__errno_location() = (int)-status;
  return -1;
}

#endif
