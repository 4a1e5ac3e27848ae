/* Bytes between the daemon and a descriptor, in both directions, within their credit. */
#ifndef SANDPORT_STREAMS_H
#define SANDPORT_STREAMS_H

#include "init.h"
#include "ring.h"

/* Less room in the connection than this is not worth a frame. */
#define ROOM_MIN 4096u

/* A command or a connection to a port, as the daemon knows it. */
struct party {
  uint32_t id;
  /* Frames go both ways. False once the last one is sent or the daemon left. */
  bool attached;
};

/* To the daemon. */
struct output {
  int fd;
  uint8_t type;
  uint32_t credit;
  /* After the main process has ended: bytes still to deliver. SIZE_MAX before. */
  size_t remaining;
  /* Of a kept command: what it reads goes there, and from there to the daemon. */
  struct ring ring;
};

/* From the daemon. */
struct input {
  int fd;
  /* Somebody else closes the descriptor. */
  bool shared;
  /* Nothing more comes. */
  bool closing;
  uint8_t *data;
  size_t head;
  size_t bytes;
  /* Bytes that the daemon may send ahead. */
  size_t window;
  /* Bytes taken from the window by the daemon, and bytes to grant back. */
  size_t held;
  size_t grant;
  /* All bytes that ever came. */
  uint64_t taken;
};

/* Leaves its ring as it is. */
void output_open(struct output *output, int fd, uint8_t type);
void output_close(struct output *output);

/* True when reading would lead somewhere: there is credit and room, or nobody wants the bytes. */
bool output_wanted(const struct party *party, const struct output *output);

/* One read that goes to the daemon: the result of read(), with EAGAIN when there is no room. */
ssize_t output_send(const struct party *party, struct output *output);

/*
 * One read, to the daemon or to nowhere; closes what has ended. True when there may be more to do
 * at once.
 */
bool output_read(const struct party *party, struct output *output);

/* Sends bytes that the descriptor did not give, if they have room. */
void output_add(const struct party *party, struct output *output, const uint8_t *data,
                size_t bytes);

/* The main process has ended: what is in the pipe at this moment is the rest. */
void output_finish(struct output *output);

/* The same for a terminal: what it gives before it has nothing is the rest. */
void output_finish_terminal(struct output *output);

/* Sends what its ring has and the connection has room for. */
void output_send_ring(const struct party *party, struct output *output);

/* True when nothing more comes from the descriptor, and the daemon was sent all of the ring. */
bool output_delivered(const struct output *output);

/* False when the credit does not allow it, or there would be too much. */
bool output_credit(struct output *output, uint32_t bytes);

/*
 * Takes bytes, and writes what the descriptor takes. -1 when the daemon overran its credit or there
 * is no memory; else 0 or the errno of a descriptor that takes nothing any more.
 */
int input_take(struct input *input, const uint8_t *data, size_t bytes);

/* Throws away what waits, and these bytes. False when they overrun the credit. */
bool input_skip(struct input *input, size_t bytes);

/* Writes as much as the descriptor takes. 0, or the errno when it takes nothing any more. */
int input_write(struct input *input);

/* Nothing is written any more: what still comes is taken and thrown away. */
void input_close(struct input *input);

/* A new connection begins: bytes that the daemon may send on it. */
size_t input_restart(struct input *input);

/* Grants credit once it is worth a frame. */
void input_grant(const struct party *party, struct input *input);

#endif
