import type { CommandEnd } from './command-result.ts';

/** Output of a command, as it is written. */
export interface OutputEvent {
  readonly type: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
  /** The same as text; a character that is cut in two comes with its second part. */
  readonly text: string;
}

/** The last event. */
export interface ExitEvent extends CommandEnd {
  readonly type: 'exit';
}

export type CommandEvent = OutputEvent | ExitEvent;

/** Output that the daemon no longer had when it was asked for: bytes from `from` to before `to`. */
export interface GapEvent {
  readonly type: 'gap';
  readonly stream: 'stdout' | 'stderr';
  readonly from: number;
  readonly to: number;
}

/** What comes from a command that is kept. */
export type KeptCommandEvent = CommandEvent | GapEvent;

/** Output before it is text. */
export type RawOutput = Omit<OutputEvent, 'text'>;

/** Adds the text of the output. What an end leaves of a cut character comes before the exit. */
export async function* withText<Other extends { readonly type: 'exit' | 'gap' }>(
  events: AsyncIterable<RawOutput | Other>,
): AsyncGenerator<OutputEvent | Other, void, undefined> {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const event of events) {
    if (isOutput(event)) {
      const { type, bytes } = event;
      yield { type, bytes, text: decoders[type].decode(bytes, { stream: true }) };
      continue;
    }
    if (event.type === 'exit') {
      for (const type of ['stdout', 'stderr'] as const) {
        const text = decoders[type].decode();
        if (text !== '') yield { type, bytes: new Uint8Array(), text };
      }
    }
    yield event;
  }
}

const isOutput = (event: { readonly type: string }): event is RawOutput =>
  event.type === 'stdout' || event.type === 'stderr';
