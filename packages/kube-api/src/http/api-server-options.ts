import type { IncomingMessage } from 'node:http';
import type { Resource } from '../objects/resource.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { PodStreams } from '../streams/pod-streams.ts';
import type { Caller } from './caller.ts';

export interface ApiServerOptions {
  readonly store: ObjectStore;
  readonly resources: readonly Resource[];
  readonly pods: PodStreams;
  /** Undefined: nobody that is known. */
  readonly authenticate: (request: IncomingMessage) => Caller | undefined;
  /** Namespace whose services, pods and endpoint slices everybody may read and port-forward to. */
  readonly sharedNamespace: string;
  /** Release that `/version` names, beside the version of Kubernetes that is spoken. */
  readonly release: string;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}
