import type { OtherServer } from './other-side.ts';

/** Prints MiB a second that are moved for some seconds. */
export const mover = (
  { address, port }: OtherServer,
  direction: 'down' | 'up',
  seconds: number,
): string => `
import socket, time
s = socket.create_connection(('${address}', ${port}), 10)
s.recv(1)
s.send(b'${direction === 'down' ? 'd' : 'u'}')
begun = time.time(); moved = 0; data = bytes(1 << 18)
while time.time() - begun < ${seconds}:
    moved += ${direction === 'down' ? 'len(s.recv(1 << 18))' : 's.send(data)'}
print(moved / (time.time() - begun) / 2 ** 20)`;

/** Prints the median of milliseconds until a connection is there. */
export const connector = ({ address, port }: OtherServer, count: number): string => `
import socket, time
times = []
for _ in range(${count}):
    begun = time.perf_counter()
    socket.create_connection(('${address}', ${port}), 10).close()
    times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2] * 1000)`;

/** Opens as many connections as it gets, of 10,000, again and again. */
export const opener = ({ address, port }: OtherServer): string => `
import resource, socket
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
while True:
    kept = []
    for _ in range(10000):
        try: kept.append(socket.create_connection(('${address}', ${port}), 5))
        except OSError: pass`;

/** Sends small packets as fast as it can, to a port where nobody listens. */
export const flooder = ({ address }: OtherServer): string => `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('${address}', 9))
while True:
    try: s.send(b'x')
    except OSError: pass`;

/** Computes. */
export const burner = `
while True: pass`;
