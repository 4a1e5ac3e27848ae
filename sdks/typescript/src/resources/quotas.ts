import { type QuotaObject, quotaSchema } from '@sandport/protocol';
import type { SignalOptions } from '../filesystem/progress.ts';
import type { Transport } from '../http/transport.ts';

/** The share of a namespace. What is left out has no limit. */
export interface QuotaLimits {
  maxSandboxes?: number | undefined;
  /** MiB of the memory limits of all sandboxes together. */
  maxMemoryMb?: number | undefined;
  /** MiB of the disk limits of all sandboxes and volumes; each must have one then. */
  maxDiskMb?: number | undefined;
}

/** How much of the machine a namespace may use. */
export class Quotas {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Namespaces with a quota or with sandboxes. */
  list({ signal }: SignalOptions = {}): Promise<QuotaObject[]> {
    return this.#transport.json(
      { method: 'GET', path: '/v1/namespaces', signal },
      quotaSchema.array(),
    );
  }

  get(namespace: string, { signal }: SignalOptions = {}): Promise<QuotaObject> {
    return this.#transport.json({ method: 'GET', path: quotaPath(namespace), signal }, quotaSchema);
  }

  /** Sets all limits; what is there already stays. For administrators. */
  set(
    namespace: string,
    limits: QuotaLimits,
    { signal }: SignalOptions = {},
  ): Promise<QuotaObject> {
    const json = {
      max_sandboxes: limits.maxSandboxes,
      max_memory_mb: limits.maxMemoryMb,
      max_disk_mb: limits.maxDiskMb,
    };
    return this.#transport.json(
      { method: 'PUT', path: quotaPath(namespace), json, signal },
      quotaSchema,
    );
  }
}

const quotaPath = (namespace: string) => `/v1/namespaces/${encodeURIComponent(namespace)}/quota`;
