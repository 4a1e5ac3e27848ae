import type { Socket } from 'node:net';

/**
 * Hands everything that is written to a socket in one turn to the kernel at once: the library
 * writes a packet in three pieces, and an answer in many packets.
 */
export function gatherWrites(socket: Socket): void {
  const write = socket.write.bind(socket);
  let isGathering = false;
  const send = () => {
    isGathering = false;
    socket.uncork();
  };
  socket.write = (...args: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(send);
    }
    // The forms of `write` are passed on as they come.
    return (write as (...all: unknown[]) => boolean)(...args);
  };
}
