import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Sandbox } from 'sandport';
import type { Subject } from '../subject.ts';

/** A small answer, or as many MiB as the path in the query says. Prints its port. */
const program = `
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *args):
        pass
    def do_GET(self):
        pieces = int("0" + self.path.rsplit("%2F", 1)[-1])
        self.send_response(200)
        self.send_header("Content-Length", str((pieces << 20) or 2))
        self.end_headers()
        if not pieces:
            self.wfile.write(b"ok")
        for _ in range(pieces):
            self.wfile.write(piece)
piece = bytes(1 << 20)
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
`;

/** The port of it in every sandbox. */
export const port = 3000;

/** Starts it in a sandbox; resolves when it listens. */
export async function serveInside(sandbox: Sandbox): Promise<void> {
  await sandbox.filesystem.write('/workspace/serve.py', program);
  await sandbox.exec(`setsid python3 /workspace/serve.py ${port} >/dev/null 2>&1 &`);
  while (!(await sandbox.ports.list()).some((each) => each.port === port))
    await new Promise((resolve) => setTimeout(resolve, 50));
}

/** The same on the machine itself. */
export async function serveOnHost(subject: Subject): Promise<AsyncDisposable & { url: string }> {
  const child = spawn(subject.python, ['-c', program, '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout }))
    return {
      url: `http://127.0.0.1:${line}`,
      [Symbol.asyncDispose]: async () => {
        const ended = once(child, 'exit');
        child.kill();
        await ended;
      },
    };
  throw new Error('the web server on the host ended before it listened');
}
