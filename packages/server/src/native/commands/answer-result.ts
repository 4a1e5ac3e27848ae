import type { ExecResult } from '@sandport/protocol';
import type { Exchange } from '../../http/exchange.ts';
import { sendJsonPieces } from '../../http/json-stream.ts';

/** Output that is escaped at a time, in UTF-16 units; shorter output is answered whole. */
const pieceLength = 64 * 1024;

/** Answers with how a command ended and what it wrote, which as JSON may be six times as long. */
export async function answerResult(exchange: Exchange, result: ExecResult): Promise<void> {
  if (result.stdout.length + result.stderr.length <= pieceLength) exchange.json(200, result);
  else await sendJsonPieces(exchange, piecesOf(result));
}

async function* piecesOf({ stdout, stderr, ...rest }: ExecResult): AsyncGenerator<string> {
  yield '{"stdout":"';
  yield* escaped(stdout);
  yield '","stderr":"';
  yield* escaped(stderr);
  yield `",${JSON.stringify(rest).slice(1)}`;
}

/** As between the quotes of JSON. Halves of a character that is cut become two escapes of one. */
function* escaped(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += pieceLength)
    yield JSON.stringify(text.slice(at, at + pieceLength)).slice(1, -1);
}
