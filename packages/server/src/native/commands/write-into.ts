import type { Writable } from 'node:stream';

/**
 * Gives bytes to the input of a command, to which others may write, too. Resolves when there is room
 * for more; with false when it took nothing, because it is closed.
 */
export function writeInto(input: Writable, bytes: Buffer): Promise<boolean> {
  if (!input.writable) return Promise.resolve(false);
  if (input.write(bytes)) return Promise.resolve(true);
  // Many writers may wait for the same room.
  input.setMaxListeners(0);
  return new Promise((resolve) => {
    const settle = () => {
      input.off('drain', settle).off('close', settle);
      resolve(true);
    };
    input.on('drain', settle).on('close', settle);
  });
}
