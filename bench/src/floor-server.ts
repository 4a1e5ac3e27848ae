import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** What `node:http` hands to a stream when nobody tunes it is 64 KiB; a file read takes as much. */
async function handle(directory: string, request: IncomingMessage, response: ServerResponse) {
  const name = new URL(request.url ?? '/', 'http://floor').searchParams.get('path') ?? '';
  const file = join(directory, name.replaceAll('/', '_'));
  if (request.method === 'PUT') {
    const temporary = `${file}.${randomBytes(6).toString('hex')}`;
    await pipeline(request, createWriteStream(temporary));
    await rename(temporary, file);
    response.end('{}');
  } else {
    const { size } = await stat(file);
    response.setHeader('content-length', size);
    await pipeline(createReadStream(file), response);
  }
}

/**
 * The floor of the byte rows: a bare HTTP server that does the same disk work as the daemon (a
 * temporary file and a rename for PUT, a read stream for GET) and nothing else.
 */
export function createFloorServer(directory: string): Server {
  return createServer((request, response) => {
    handle(directory, request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
}
