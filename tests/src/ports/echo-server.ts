import { type Api, TestWebSocket, waitFor } from '../harness/index.ts';

/** Sends back all it gets, and ends when its client has ended. */
const program = String.raw`
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(1 << 16)
            if not data:
                return
            self.request.sendall(data)
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer.request_queue_size = 256
socketserver.ThreadingTCPServer(("127.0.0.1", 7000), Echo).serve_forever()
`;

/** Starts it in a sandbox, on port 7000; resolves when it listens. */
export async function startEchoServer(api: Api, sandbox: string): Promise<void> {
  await api.write(sandbox, '/workspace/echo.py', program);
  await api.exec(sandbox, 'setsid nohup python3 /workspace/echo.py >/dev/null 2>&1 &');
  const path = `/v1/sandboxes/${sandbox}/ports/7000/tcp`;
  await waitFor(
    async () => {
      const opened = await TestWebSocket.open(api, path).catch(() => undefined);
      opened?.socket.terminate();
      return opened !== undefined;
    },
    { timeoutMs: 20_000, what: 'the echo server in the sandbox' },
  );
}
