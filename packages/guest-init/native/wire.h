/* Numbers of the wire protocol; PROTOCOL.md describes them. */
#ifndef SANDPORT_WIRE_H
#define SANDPORT_WIRE_H

#include <stdint.h>

#define PROTOCOL_VERSION 4

enum to_init {
  MSG_HELLO_OK = 0x01,
  MSG_START = 0x02,
  MSG_STDIN = 0x03,
  MSG_STDIN_CLOSE = 0x04,
  MSG_KILL = 0x05,
  MSG_CREDIT = 0x06,
  MSG_PING = 0x07,
  MSG_SUSPEND = 0x08,
  MSG_LIMITS = 0x09,
  MSG_RESIZE = 0x0a,
  MSG_CONNECT = 0x0b,
  MSG_CLOSE = 0x0c,
  MSG_RESUME = 0x0d,
  MSG_FORGET = 0x0e,
};

enum from_init {
  MSG_HELLO = 0x81,
  MSG_STARTED = 0x82,
  MSG_START_FAILED = 0x83,
  MSG_STDOUT = 0x84,
  MSG_STDERR = 0x85,
  MSG_STDIN_CREDIT = 0x86,
  MSG_EXIT = 0x87,
  MSG_PONG = 0x88,
  MSG_LOG = 0x89,
  MSG_SUSPENDED = 0x8a,
  MSG_NOT_SUSPENDED = 0x8b,
  MSG_CONNECTED = 0x8c,
  MSG_CONNECT_FAILED = 0x8d,
  MSG_STREAM_END = 0x8e,
  MSG_CLOSED = 0x8f,
  MSG_KEPT = 0x90,
  MSG_KEPT_END = 0x91,
  MSG_FORGOTTEN = 0x92,
};

enum start_tag {
  TAG_ARG = 1,
  TAG_ENV = 2,
  TAG_CWD = 3,
  TAG_USER = 4,
  TAG_TIMEOUT_MS = 5,
  TAG_STDIN = 6,
  TAG_TERMINAL = 7,
  TAG_KEEP = 8,
};

enum start_step {
  STEP_REQUEST = 1,
  STEP_RESOURCES = 2,
  STEP_USER = 3,
  STEP_CWD = 4,
  STEP_EXEC = 5,
};

enum exit_flag {
  EXIT_TIMED_OUT = 1,
  EXIT_OOM_KILLED = 2,
};

enum kept_flag {
  KEPT_ENDED = 1,
  KEPT_STDIN = 2,
  KEPT_TERMINAL = 4,
};

static inline uint16_t get_u16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }

static inline uint32_t get_u32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_u64(const uint8_t *p) {
  return (uint64_t)get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

static inline void put_u32(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
  p[2] = (uint8_t)(v >> 16);
  p[3] = (uint8_t)(v >> 24);
}

static inline void put_u64(uint8_t *p, uint64_t v) {
  put_u32(p, (uint32_t)v);
  put_u32(p + 4, (uint32_t)(v >> 32));
}

#endif
