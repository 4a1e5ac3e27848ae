import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Sandbox } from 'sandport';
import type { Subject } from '../subject.ts';

/**
 * A small answer, or as many MiB as the path in the query says; to PUT the SHA-256 of the body. On the
 * next port, where one was named, what comes over TCP goes back. Prints its port.
 */
const program = `
import hashlib, socketserver, sys, threading
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
    def do_PUT(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left:
            data = self.rfile.read(min(left, 1 << 20))
            if not data:
                return
            digest.update(data)
            left -= len(data)
        text = digest.hexdigest().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1 << 18):
            self.request.sendall(data)
class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128
if port := int(sys.argv[1]):
    echo = EchoServer(("127.0.0.1", port + 1), Echo)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
piece = bytes(1 << 20)
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
`;

/** The port of it in every sandbox, and the one where bytes come back. */
export const port = 3000;
export const echoPort = port + 1;

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
