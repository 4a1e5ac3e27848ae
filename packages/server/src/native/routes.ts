import type { Engine } from '@sandport/engine';
import type { Route } from '../http/router.ts';
import type { PreviewHostSetting } from '../previews/preview-host.ts';
import { commandRoutes } from './commands/index.ts';
import { codeRoutes } from './code.ts';
import { eventRoutes } from './events.ts';
import { fileRoutes } from './files/index.ts';
import { forkRoutes } from './forks.ts';
import { keyRoutes } from './keys.ts';
import { type KubernetesAccess, kubernetesRoutes } from './kubernetes.ts';
import { lifecycleRoutes } from './lifecycle.ts';
import { metricsRoutes } from './metrics.ts';
import { namespaceNetworkRoutes } from './namespace-networks.ts';
import { poolRoutes } from './pools.ts';
import { portRoutes } from './ports.ts';
import { quotaRoutes } from './quotas.ts';
import { sandboxRoutes } from './sandboxes.ts';
import { snapshotRoutes } from './snapshots.ts';
import { type SshAccess, sshRoutes } from './ssh.ts';
import { templateRoutes } from './templates.ts';
import { volumeRoutes } from './volumes.ts';

/** All routes of the native API. */
export const nativeRoutes = (
  engine: Engine,
  options: {
    version: string;
    idleTimeoutMs: number;
    stopping: AbortSignal;
    /** Called with errors that are no answers to clients. */
    onUnexpected: (error: unknown) => void;
    previewHost: PreviewHostSetting;
    kubernetes?: KubernetesAccess | undefined;
    ssh?: SshAccess | undefined;
  },
): Route[] => [
  {
    method: 'GET',
    path: '/healthz',
    open: true,
    handle: (exchange) => exchange.json(200, { status: 'ok', version: options.version }),
  },
  {
    method: 'GET',
    path: '/version',
    handle: (exchange) => exchange.json(200, { version: options.version }),
  },
  ...sandboxRoutes(engine),
  ...lifecycleRoutes(engine),
  ...eventRoutes(engine, options),
  ...fileRoutes(engine, options),
  ...commandRoutes(engine, options),
  ...portRoutes(engine, options),
  ...codeRoutes(engine),
  ...forkRoutes(engine),
  ...snapshotRoutes(engine),
  ...templateRoutes(engine, options),
  ...volumeRoutes(engine),
  ...metricsRoutes(engine),
  ...poolRoutes(engine),
  ...quotaRoutes(engine),
  ...namespaceNetworkRoutes(engine),
  ...keyRoutes(engine),
  ...kubernetesRoutes(options),
  ...sshRoutes(engine, options),
];
