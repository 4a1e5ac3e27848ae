import type { PodStreams } from '@sandport/kube-api';
import { RuntimePorts } from './pods/runtime-ports.ts';
import { SandboxPodStreams } from './pods/sandbox-pod-streams.ts';
import { Router } from './router/router.ts';
import { RouterPort } from './router/router-port.ts';
import { PythonRuntime } from './runtimes/python-runtime/python-runtime.ts';
import type { RuntimeOptions } from './runtimes/runtime.ts';
import { SandboxdRuntime } from './runtimes/sandboxd/sandboxd-runtime.ts';
import type { SandboxDirectory } from './sandboxes/sandbox-directory.ts';

export interface DataPlaneOptions extends RuntimeOptions {
  /** Asked at each request: whoever knows the sandboxes is started with what this makes. */
  readonly directory: () => SandboxDirectory;
}

/** All ways to the files, commands and programs of sandboxes that this dialect has. */
export interface DataPlane extends AsyncDisposable {
  /** For requests that came with an API key. */
  readonly router: Router;
  readonly pods: PodStreams;
}

/** Puts them together. Disposing breaks what is connected. */
export function startDataPlane(options: DataPlaneOptions): DataPlane {
  const { engine, directory, log } = options;
  const python = new PythonRuntime(options);
  const sandboxd = new SandboxdRuntime(options);
  const router = new Router({ engine, directory, python, sandboxd, log });
  const routerPort = new RouterPort(router);
  const runtimes = new RuntimePorts({
    python,
    sandboxd,
    process: { accept: (socket) => socket.destroy() },
  });
  return {
    router,
    pods: new SandboxPodStreams({ engine, directory, runtimes, router: routerPort }),
    [Symbol.asyncDispose]: async () => {
      routerPort[Symbol.dispose]();
      runtimes[Symbol.dispose]();
      python[Symbol.dispose]();
    },
  };
}
