import { Duplex, type Writable } from 'node:stream';
import type { Engine } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import { receiveBody } from '../../http/receive-body.ts';
import { named } from './named.ts';
import { writeInto } from './write-into.ts';

/** Gives the body of a request to a command, as fast as it takes it. */
export async function writeInput(
  exchange: Exchange,
  engine: Engine,
  { idleTimeoutMs }: { readonly idleTimeoutMs: number },
): Promise<void> {
  const eof = exchange.query.flag('eof', false);
  const input = await engine.kept.input(...named(exchange));
  const onIdle = () =>
    new SandportFault('request_timeout', `No input came for ${idleTimeoutMs} ms.`);
  const target = intoShared(input, exchange);
  exchange.takeBody();
  try {
    await receiveBody(exchange.request, target, { idleTimeoutMs, onIdle });
  } catch (error) {
    if (error instanceof SandportFault) throw error;
    throw new SandportFault('incomplete_body', 'The input ended before its announced length.', {
      received_bytes: exchange.bytesIn,
    });
  }
  if (eof) input.end();
  exchange.json(200, { bytes: exchange.bytesIn });
}

/** Writes to `input`, which stays open, and to which others write, too. */
const intoShared = (input: Writable, exchange: Exchange): Writable =>
  Duplex.from(async (body: AsyncIterable<Buffer>) => {
    for await (const bytes of body) {
      if (!(await writeInto(input, bytes))) throw takesNoMore(exchange);
      exchange.bytesIn += bytes.length;
    }
  });

const takesNoMore = (exchange: Exchange): SandportFault =>
  new SandportFault(
    'command_ended',
    `The command ${exchange.param('command')} takes no more input.`,
    { command: exchange.param('command'), received_bytes: exchange.bytesIn },
  );
