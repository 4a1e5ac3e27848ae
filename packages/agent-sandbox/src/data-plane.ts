import type { PodStreams } from '@sandport/kube-api';
import { LocalPodNetwork, type LocalPodNetworkOptions } from './pods/network/local-pod-network.ts';
import { noPodNetwork, type PodNetwork } from './pods/pod-network.ts';
import { RuntimePorts } from './pods/runtime-ports.ts';
import { SandboxPodStreams } from './pods/sandbox-pod-streams.ts';
import { Router } from './router/router.ts';
import { RouterPort } from './router/router-port.ts';
import { LazyProcessService } from './runtimes/process-service/lazy-process-service.ts';
import { PythonRuntime } from './runtimes/python-runtime/python-runtime.ts';
import { type RuntimeOptions, runtimePorts } from './runtimes/runtime.ts';
import { SandboxdRuntime } from './runtimes/sandboxd/sandboxd-runtime.ts';
import type { SandboxDirectory } from './sandboxes/sandbox-directory.ts';

export interface DataPlaneOptions extends RuntimeOptions {
  /** Asked at each request: whoever knows the sandboxes is started with what this makes. */
  readonly directory: () => SandboxDirectory;
  /** Undefined: sandboxes get no addresses. */
  readonly podNetwork?: Pick<LocalPodNetworkOptions, 'range' | 'users' | 'former'> | undefined;
}

/** Who comes by the pod network: its users may use every sandbox. */
const networkPrincipal = { keyId: 'pod-network' };

/** All ways to the files, commands and programs of sandboxes that this dialect has. */
export interface DataPlane extends AsyncDisposable {
  /** For requests that came with an API key. */
  readonly router: Router;
  readonly pods: PodStreams;
  readonly network: PodNetwork;
}

/**
 * Puts them together. Disposing breaks what is connected.
 * @throws Error with a sentence for people when the pod network cannot be had
 */
export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const { engine, directory, podNetwork, log } = options;
  const python = new PythonRuntime(options);
  const sandboxd = new SandboxdRuntime(options);
  const router = new Router({ engine, directory, python, sandboxd, log });
  const routerPort = new RouterPort(router);
  const process = new LazyProcessService(options);
  const runtimes = new RuntimePorts({ python, sandboxd, process });
  const network =
    podNetwork === undefined
      ? undefined
      : await LocalPodNetwork.start({
          ...podNetwork,
          ports: Object.values(runtimePorts),
          httpPorts: [runtimePorts.python, runtimePorts.sandboxd],
          accept: (port, socket, sandbox) =>
            runtimes.accept(port, socket, { sandbox, principal: networkPrincipal }),
          acceptGateway: (socket) => routerPort.accept(socket, networkPrincipal),
          log,
        });
  return {
    router,
    pods: new SandboxPodStreams({ engine, directory, runtimes, router: routerPort }),
    network: network ?? noPodNetwork,
    [Symbol.asyncDispose]: async () => {
      network?.[Symbol.dispose]();
      routerPort[Symbol.dispose]();
      runtimes[Symbol.dispose]();
      process[Symbol.dispose]();
      python[Symbol.dispose]();
    },
  };
}
