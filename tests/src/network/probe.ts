import { z } from 'zod';
import type { Api } from '../harness/index.ts';

/** One thing to be tried from inside a sandbox. */
export type Attempt =
  | readonly ['tcp', host: string, port: number]
  | readonly ['udp', host: string, port: number]
  | readonly ['name', name: string]
  | readonly ['ask', server: string, name: string];

/** Tries each, with at most 5 seconds for one, and prints what came of it. */
const program = `
import json, socket, struct, sys
def tcp(host, port):
    with socket.create_connection((host, port), 5) as s:
        return s.recv(100).decode().strip()
def udp(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5); s.connect((host, port)); s.send(b'echo')
        return s.recv(100).decode()
def name(host):
    return sorted({info[4][0] for info in socket.getaddrinfo(host, None)})
def ask(server, host):
    labels = b''.join(bytes([len(part)]) + part.encode() for part in host.split('.')) + b'\\0'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5); s.connect((server, 53))
        s.send(struct.pack('>HHHHHH', 7, 256, 1, 0, 0, 0) + labels + struct.pack('>HH', 1, 1))
        return 'rcode %d' % (s.recv(2000)[3] & 15)
results = []
for kind, *rest in json.loads(sys.argv[1]):
    try: results.append(globals()[kind](*rest))
    except TimeoutError: results.append('timeout')
    except socket.gaierror: results.append('no such name')
    except OSError as error: results.append(error.strerror or repr(error))
print(json.dumps(results))
`;

/** What came of each attempt: what the other side said, or the error in words. */
export async function probe(
  api: Api,
  id: string,
  attempts: readonly Attempt[],
): Promise<(string | string[])[]> {
  await api.write(id, '/workspace/probe.py', program);
  const command = `python3 /workspace/probe.py '${JSON.stringify(attempts)}'`;
  const { stdout, stderr } = await api.exec(id, command);
  if (stdout === '') throw new Error(stderr);
  return z.array(z.union([z.string(), z.array(z.string())])).parse(JSON.parse(stdout));
}

export const refused = 'Connection refused';
