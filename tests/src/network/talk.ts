import { type Api, codeOf, waitFor } from '../harness/index.ts';

/**
 * Lets a program in a sandbox talk to a host until its connection ends, and resolves once it is
 * open; `ended` then says how Python names the end.
 */
export async function talkTo(
  api: Api,
  id: string,
  host: string,
): Promise<{ ended: Promise<string> }> {
  const program = `
import socket, time
s = socket.create_connection(('${host}', 8080), 5)
s.settimeout(20)
s.recv(100)
open('/workspace/open', 'w').close()
try:
    while True:
        s.send(b'tick'); s.recv(100); time.sleep(0.1)
except OSError as error:
    print(type(error).__name__)`;
  await api.write(id, '/tmp/talk.py', program);
  const talking = api.exec(id, 'python3 /tmp/talk.py');
  await waitFor(async () => codeOf(await api.statAnswer(id, '/workspace/open')) === 'ok');
  return { ended: talking.then(({ stdout }) => stdout) };
}

/** How the end of a connection that is cut is named. */
export const cut = /ConnectionResetError|ConnectionRefusedError|BrokenPipe/;
