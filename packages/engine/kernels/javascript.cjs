// Runs the code of one context in this process; src/code/kernel-protocol.ts has the protocol.
// Given to `node -e` with the mark of its frames as its argument.
'use strict';
(() => {
  const mark = process.argv[1];
  const fs = require('node:fs');
  const { Console } = require('node:console');
  const { inspect } = require('node:util');
  const { Readable, Writable } = require('node:stream');
  const { Session } = require('node:inspector');
  const { Worker } = require('node:worker_threads');
  const jsonBytes = 1024 * 1024;
  const textBytes = 1024 * 1024;

  /** Waits where the pipe is full: another process may have made it non-blocking. */
  function write(descriptor, bytes) {
    let rest = bytes;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(fs.writeSync(descriptor, rest));
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
  }
  const frame = (descriptor, content) =>
    write(descriptor, Buffer.from(`\0${mark}${JSON.stringify(content)}\0`));

  for (const [name, descriptor] of [
    ['stdout', 1],
    ['stderr', 2],
  ]) {
    const stream = new Writable({
      decodeStrings: true,
      write(chunk, _encoding, done) {
        write(descriptor, chunk);
        done();
      },
    });
    stream.fd = descriptor;
    Object.defineProperty(process, name, { value: stream, configurable: true });
  }
  Object.defineProperty(process, 'stdin', { value: Readable.from([]), configurable: true });
  globalThis.console = new Console(process.stdout, process.stderr);
  const report = (error) => console.error('Uncaught', error);
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
  // Ends the processes that the code waits for; the code itself is ended by the message.
  process.on('SIGINT', () => {});

  const session = new Session();
  session.connect();
  const post = (method, params) =>
    new Promise((resolve, reject) => {
      session.post(method, params, (error, answer) => (error ? reject(error) : resolve(answer)));
    });

  let taken;
  const takerName = `__sandport_${mark}`;
  globalThis[takerName] = (value) => {
    taken = value;
  };
  const taker = post('Runtime.evaluate', { expression: takerName });
  delete globalThis[takerName];

  /** The value behind what the inspector answered. */
  async function valueOf(remote) {
    if (remote.objectId !== undefined) {
      await post('Runtime.callFunctionOn', {
        objectId: (await taker).result.objectId,
        functionDeclaration: 'function (value) { this(value); }',
        arguments: [{ objectId: remote.objectId }],
      });
      return taken;
    }
    const { type, value, unserializableValue: text } = remote;
    if (text === undefined) return value;
    return type === 'bigint' ? BigInt(text.slice(0, -1)) : Number(text);
  }

  /** A text of a value, which may throw when it is looked at. */
  function textOf(read, length) {
    try {
      return String(read()).slice(0, length);
    } catch {
      return '(it throws when it is shown)';
    }
  }

  function bundleOf(value) {
    const text = textOf(() => inspect(value));
    const bundle = {
      'text/plain': text.length > textBytes ? `${text.slice(0, textBytes)}…` : text,
    };
    if (typeof value !== 'object' || value === null || isErrorOf(value)) return bundle;
    try {
      const json = JSON.stringify(value);
      if (json !== undefined && json.length <= jsonBytes) bundle['application/json'] = json;
    } catch {
      // Not every value can be JSON.
    }
    return bundle;
  }

  const isErrorOf = (value) => {
    try {
      return value instanceof Error;
    } catch {
      return false;
    }
  };

  function showError(value) {
    const isError = isErrorOf(value);
    const stack = isError ? textOf(() => value.stack ?? '', 262_144) : '';
    const lines = stack.split('\n');
    const ours = lines.findIndex((line) => /\[eval\]|node:inspector/.test(line));
    const own = ours === -1 ? lines : lines.slice(0, ours);
    frame(1, {
      type: 'error',
      name: isError ? textOf(() => value.name, 200) : 'Error',
      value: textOf(() => (isError ? value.message : inspect(value)), 65_536),
      traceback: own.slice(0, 200).map((line) => line.slice(0, 65_536)),
    });
  }

  let interrupt = () => {};
  let count = 0;
  async function run(name, code) {
    for (const descriptor of [1, 2]) frame(descriptor, { type: 'begin', run: name });
    count += 1;
    let exit = 1;
    const interrupted = new Promise((resolve) => {
      interrupt = () => resolve(undefined);
    });
    try {
      const params = { expression: code, replMode: true, awaitPromise: true };
      const answer = await Promise.race([post('Runtime.evaluate', params), interrupted]);
      if (answer === undefined) {
        frame(1, {
          type: 'error',
          name: 'Interrupted',
          value: 'The code was interrupted.',
          traceback: [],
        });
      } else if (answer.exceptionDetails === undefined) {
        exit = 0;
        if (answer.result.type !== 'undefined')
          frame(1, { type: 'result', data: bundleOf(await valueOf(answer.result)) });
      } else {
        const { exception, text } = answer.exceptionDetails;
        showError(exception === undefined ? new Error(text) : await valueOf(exception));
      }
    } catch (error) {
      const message = textOf(() => error.message, 65_536);
      const isEnded = /terminated/i.test(message);
      frame(1, {
        type: 'error',
        name: isEnded ? 'Interrupted' : 'Error',
        value: isEnded ? 'The code was interrupted.' : message,
        traceback: [],
      });
    }
    frame(1, { type: 'end', run: name, exit, count });
    frame(2, { type: 'end', run: name, exit });
  }

  /** Reads the messages, so that an interrupt arrives while the code keeps the main thread busy. */
  const reader = `
    const { readSync } = require('node:fs');
    const { Session } = require('node:inspector');
    const { parentPort, workerData } = require('node:worker_threads');
    const session = new Session();
    session.connectToMainThread();
    const seen = new Int32Array(workerData);
    const buffer = Buffer.alloc(65536);
    let held = Buffer.alloc(0);
    let name;
    function take(message) {
      if (message === '\\x03') {
        const before = Atomics.load(seen, 0);
        parentPort.postMessage({ interrupt: true });
        if (Atomics.wait(seen, 0, before, 300) === 'timed-out') session.post('Runtime.terminateExecution');
      } else if (name === undefined) name = message;
      else {
        parentPort.postMessage({ name, code: message });
        name = undefined;
      }
    }
    for (;;) {
      const bytes = readSync(0, buffer);
      if (bytes === 0) process.kill(process.pid, 'SIGKILL');
      held = Buffer.concat([held, buffer.subarray(0, bytes)]);
      for (let end = held.indexOf(0); end !== -1; end = held.indexOf(0)) {
        take(held.toString('utf8', 0, end));
        held = held.subarray(end + 1);
      }
    }`;
  const seen = new SharedArrayBuffer(4);
  const worker = new Worker(reader, { eval: true, workerData: seen, stdout: false, stderr: false });
  worker.on('message', (message) => {
    if (message.interrupt) {
      Atomics.add(new Int32Array(seen), 0, 1);
      Atomics.notify(new Int32Array(seen), 0);
      interrupt();
    } else void run(message.name, message.code);
  });
  // Of modules that cannot be required; `import()` itself has no way to know where it is used.
  globalThis.importModule = (name) => import(name);
  frame(1, { type: 'ready' });
})();
