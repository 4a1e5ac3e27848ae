import type { Api } from '../harness/index.ts';
import { waitFor } from '../harness/index.ts';

/** A web server of Python's own library: bodies, events, WebSocket, cookies, slow answers. */
const program = String.raw`
import base64, hashlib, json, os, socketserver, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def body(self):
        """Its pieces, however it is framed."""
        length = self.headers.get("Content-Length")
        if length is not None:
            left = int(length)
            while left > 0:
                piece = self.rfile.read(min(left, 1 << 20))
                if not piece:
                    return
                left -= len(piece)
                yield piece
        elif self.headers.get("Transfer-Encoding"):
            while True:
                size = int(self.rfile.readline(), 16)
                if size:
                    yield self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return

    def answer(self, text, fields=(), status=200):
        data = text.encode()
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def handle_any(self):
        path = self.path.split("?")[0]
        if path == "/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.close_connection = True
            self.wfile.write(b"data: first\n\n")
            go.wait(60)
            self.wfile.write(b"data: second\n\n")
        elif path == "/go":
            go.set()
            self.answer("gone")
        elif path == "/page":
            fields = [("Content-Type", "text/html"), ("Set-Cookie", "own=1; Domain=localhost; Path=/")]
            self.answer("<title>page</title><script src=/script.js></script>", fields)
        elif path == "/script.js":
            script = """fetch('/echo', {method: 'POST', body: 'x'}).then((r) => r.json()).then((seen) => {
                const socket = new WebSocket('ws://' + location.host + '/ws');
                socket.onopen = () => socket.send('from the page');
                socket.onmessage = (event) => {
                    const told = [seen.bytes, event.data, document.cookie, location.href];
                    fetch('/report', {method: 'PUT', body: told.join('|')});
                };
            })"""
            self.answer(script, [("Content-Type", "text/javascript")])
        elif path == "/report":
            if self.command == "PUT":
                reported.append(b"".join(self.body()).decode())
            self.answer("\n".join(reported))
        elif path == "/origin":
            self.answer("""<script>document.title = self.origin + [
                () => document.cookie, () => localStorage.length,
            ].map((look) => { try { look(); return ' seen' } catch { return ' refused' } }).join('')
            </script>""", [("Content-Type", "text/html")])
        elif path == "/ws":
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", accept)
            self.end_headers()
            self.close_connection = True
            while True:
                head = self.rfile.read(2)
                if len(head) < 2 or head[0] & 15 == 8:
                    return
                size = head[1] & 127
                if size == 126:
                    size = int.from_bytes(self.rfile.read(2), "big")
                mask = self.rfile.read(4)
                data = bytes(b ^ mask[i % 4] for i, b in enumerate(self.rfile.read(size)))
                short = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
                self.wfile.write(bytes([head[0]]) + short + data)
        elif path == "/big":
            pieces = int(self.path.split("?")[1])
            self.send_response(200)
            self.send_header("Content-Length", str(pieces << 20))
            self.end_headers()
            for index in range(pieces):
                self.wfile.write(index.to_bytes(4, "big") * (1 << 18))
        elif path == "/cookies":
            self.answer("", [
                ("Set-Cookie", "__sandport_preview=stolen; Path=/"),
                ("Set-Cookie", "wide=1; Domain=localhost; Path=/; HttpOnly"),
                ("Location", "/elsewhere"),
                ("Strict-Transport-Security", "max-age=1"),
            ])
        else:
            digest, size = hashlib.sha256(), 0
            for piece in self.body():
                digest.update(piece)
                size += len(piece)
            fields = [[name, value] for name, value in self.headers.items()]
            self.answer(json.dumps({
                "method": self.command, "path": self.path, "headers": fields,
                "bytes": size, "sha256": digest.hexdigest(),
            }), [("Content-Type", "application/json"), ("X-Twice", "1"), ("X-Twice", "2")])

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PROPFIND = handle_any

go = threading.Event()
reported = []
ThreadingHTTPServer.daemon_threads = True
ThreadingHTTPServer.request_queue_size = 256
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
`;

/** What `/echo` of the server tells of a request. */
export interface Echo {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly bytes: number;
  readonly sha256: string;
}

/** Starts the web server in a sandbox; resolves when it listens. */
export async function startWebServer(api: Api, sandbox: string, port: number): Promise<void> {
  await api.write(sandbox, '/workspace/serve.py', program);
  await api.exec(
    sandbox,
    `setsid nohup python3 /workspace/serve.py ${port} >/workspace/serve.log 2>&1 &`,
  );
  await waitFor(
    async () =>
      (await api.send('GET', `/v1/sandboxes/${sandbox}/proxy/${port}/echo`)).status === 200,
    { timeoutMs: 20_000, what: 'the web server in the sandbox' },
  );
}
