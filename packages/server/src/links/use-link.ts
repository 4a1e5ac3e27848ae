import { type Engine, type OpenedLink, preconditionOf } from '@sandport/engine';
import { SandportFault } from '@sandport/protocol';
import type { Exchange } from '../http/exchange.ts';
import { answerWithFile } from '../native/files/read-file.ts';
import { receiveFile } from '../native/files/receive-file.ts';
import { tellWhenWoken } from '../native/waking.ts';
import { attachment } from './content-disposition.ts';
import { linkFault } from './link-fault.ts';
import { uploadPage, uploadPagePolicy } from './upload-page.ts';

/** Every answer about a link: nobody keeps it, nobody is told where it came from. */
const headers: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Accept-Ranges, Content-Disposition, Content-Range, ETag, Repr-Digest, X-File-Size, X-Request-Id, X-Sandport-Woke',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "sandbox; default-src 'none'",
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** Lets pages of other origins use links. Tells nothing about the link. */
export function answerLinkOptions(exchange: Exchange): void {
  const { response } = exchange;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Access-Control-Allow-Methods', 'GET, HEAD, PUT');
  response.setHeader(
    'Access-Control-Allow-Headers',
    'Content-Type, If-Match, If-None-Match, If-Range, Range, Repr-Digest, Want-Repr-Digest, X-Request-Id',
  );
  response.setHeader('Access-Control-Max-Age', 86_400);
  exchange.empty();
}

/** The file of a download link; of an upload link a page for browsers. */
export async function downloadByLink(exchange: Exchange, engine: Engine): Promise<void> {
  await withLink(exchange, engine, async ({ link, files }, name) => {
    const { request, response } = exchange;
    if (link.method === 'PUT') {
      const isBrowser = request.method === 'GET' && request.headers.accept?.includes('text/html');
      if (isBrowser !== true) throw wrongMethod(exchange, 'PUT', 'uploads');
      response.setHeader('Content-Security-Policy', uploadPagePolicy);
      const page = Buffer.from(uploadPage({ name, ...link }));
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Length': page.length,
      });
      response.end(page);
      return;
    }
    const file = await files.open(link.path);
    try {
      response.setHeader('Content-Disposition', attachment(name));
      await answerWithFile(exchange, file, name);
    } finally {
      await file.close();
    }
  });
}

/** Writes the file of an upload link. */
export async function uploadByLink(
  exchange: Exchange,
  engine: Engine,
  options: { readonly idleTimeoutMs: number },
): Promise<void> {
  await withLink(exchange, engine, async ({ link, files }, name) => {
    if (link.method === 'GET') throw wrongMethod(exchange, 'GET', 'downloads');
    const fields = exchange.request.headers;
    const precondition = preconditionOf({
      ifMatch: fields['if-match'],
      ifNoneMatch: fields['if-none-match'],
    });
    const begin = () => files.write(link.path, precondition === undefined ? {} : { precondition });
    const { maxBytes } = link;
    await receiveFile(exchange, begin, { path: name, maxBytes, ...options });
  });
}

async function withLink(
  exchange: Exchange,
  engine: Engine,
  use: (opened: OpenedLink, name: string) => Promise<void>,
): Promise<void> {
  const { response } = exchange;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const opened = await engine.links.open(exchange.param('token'), {
    ...tellWhenWoken(exchange),
    sent: () => exchange.bytesSent,
  });
  exchange.hold(opened.use);
  const name = opened.link.path.replace(/\/+$/, '').split('/').pop() || 'file';
  try {
    await use(opened, name);
  } catch (error) {
    response.removeHeader('Content-Disposition');
    throw linkFault(error, name);
  }
}

function wrongMethod(exchange: Exchange, method: string, does: string): SandportFault {
  exchange.response.setHeader('Allow', method);
  return new SandportFault(
    'method_not_allowed',
    `This link ${does} one file; use it with ${method}.`,
    { route: '/v1/links/{token}', known: [method] },
  );
}
