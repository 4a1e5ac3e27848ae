import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

const keptLines = 40;

/**
 * Runs a program to its end and never throws.
 *
 * Options: cwd, env (added to this process's), uid and gid, logFile (gets both streams),
 * onLine (every line of both streams), inherit (the child writes to this terminal),
 * killOnAbort (AbortSignal that ends the child with SIGTERM).
 *
 * Resolves to {code, signal, stdout, tail, missing}: stdout as text (at most 16 MiB), tail the last
 * lines of both streams, missing when there is no such program that this user may run.
 */
export function run(command, args = [], options = {}) {
  const { cwd, env, uid, gid, logFile, onLine, inherit = false, killOnAbort } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: inherit ? ['inherit', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid }),
    });
    const abort = () => child.kill('SIGTERM');
    killOnAbort?.addEventListener('abort', abort, { once: true });

    let log;
    if (logFile) {
      mkdirSync(dirname(logFile), { recursive: true });
      log = createWriteStream(logFile, { flags: 'a' });
      log.on('error', () => {});
      log.write(`$ ${command} ${args.join(' ')}\n`);
    }
    let stdout = '';
    const tail = [];
    const takeLine = (line) => {
      if (line.trim() === '') return;
      tail.push(line);
      if (tail.length > keptLines) tail.shift();
      onLine?.(line);
    };
    for (const [stream, isStdout] of inherit
      ? []
      : [
          [child.stdout, true],
          [child.stderr, false],
        ]) {
      const decoder = new StringDecoder('utf8');
      let rest = '';
      stream.on('data', (chunk) => {
        log?.write(chunk);
        const text = decoder.write(chunk);
        if (isStdout && stdout.length < 16 * 1024 * 1024) stdout += text;
        const lines = (rest + text).split(/\r?\n|\r/);
        rest = lines.pop() ?? '';
        for (const line of lines) takeLine(line);
      });
      stream.on('end', () => takeLine(rest));
    }

    const finish = (result) => {
      killOnAbort?.removeEventListener('abort', abort);
      log?.end();
      resolve({ stdout, tail, missing: false, ...result });
    };
    child.on('error', (error) => {
      tail.push(error.message);
      finish({ code: 127, signal: null, missing: error.code !== 'EAGAIN' });
    });
    child.on('close', (code, signal) => finish({ code: code ?? 128, signal }));
  });
}

/** True when the program exists and ends with 0. */
export async function succeeds(command, args = [], options = {}) {
  return (await run(command, args, options)).code === 0;
}
