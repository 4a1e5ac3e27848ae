import type { SandboxCommands } from '@sandport/driver';

/** Most ports that are told of. */
const maxPorts = 128;
const timeoutMs = 5_000;
/** Of the guest's tables; a line has 150 bytes. */
const maxTableBytes = 1024 * 1024;

/** State of a socket that accepts connections, in `/proc/net/tcp`. */
const listen = '0A';

/**
 * TCP ports on which something in the sandbox listens, by number. The guest tells: it is believed
 * in nothing but numbers. None when it cannot tell.
 */
export async function listeningPorts(commands: SandboxCommands): Promise<number[]> {
  const args = ['cat', '/proc/net/tcp', '/proc/net/tcp6'];
  const command = await commands
    .start({ args, cwd: '/', user: '0', timeoutMs })
    .catch(() => undefined);
  if (command === undefined) return [];
  command.stderr.on('error', () => undefined).resume();
  command.exit.catch(() => undefined);
  // What it has left behind may hold its output open.
  const timer = setTimeout(() => command.stdout.destroy(), timeoutMs);
  const ports = new Set<number>();
  let bytes = 0;
  let rest = '';
  try {
    for await (const chunk of command.stdout) {
      const text: string = rest + String(chunk);
      bytes += String(chunk).length;
      const lines = text.split('\n');
      rest = (lines.pop() ?? '').slice(0, 1_000);
      for (const line of lines) {
        const port = portOf(line);
        if (port !== undefined && ports.size < maxPorts) ports.add(port);
      }
      if (bytes > maxTableBytes) break;
    }
  } catch {
    // It broke off: what it told so far is as good as the rest.
  } finally {
    clearTimeout(timer);
    command.kill('SIGKILL');
    command.stdout.destroy();
  }
  return [...ports].sort((a, b) => a - b);
}

/** As `  0: 0100007F:1F90 00000000:0000 0A …`. */
function portOf(line: string): number | undefined {
  const [, port = '', state] =
    /^ *\d+: [\dA-F]{8,32}:([\dA-F]{4}) [\dA-F]{8,32}:[\dA-F]{4} ([\dA-F]{2}) /.exec(line) ?? [];
  return state === listen ? Number.parseInt(port, 16) : undefined;
}
