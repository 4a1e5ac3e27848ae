/** The peer does not speak SPDY/3.1, or goes beyond a limit: its connection ends. */
export class SpdyError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SpdyError';
  }
}
