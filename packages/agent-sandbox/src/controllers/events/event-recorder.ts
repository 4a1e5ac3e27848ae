import { type KubeObject, kubeTime, type ObjectStore } from '@sandport/kube-api';
import { keys } from '../../resources/keys.ts';
import { removeIfThere } from '../status/write-status.ts';

/** Most events that are kept, of all objects. */
const mostEvents = 5_000;
const keptMs = 3_600_000;

export interface EventText {
  readonly type: 'Normal' | 'Warning';
  /** As `Created`. */
  readonly reason: string;
  readonly message: string;
}

interface Kept {
  event: KubeObject;
  count: number;
  at: number;
}

/** What happened to objects, as `kubectl describe` shows it. The same again is counted. */
export class EventRecorder {
  readonly #store: ObjectStore;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #number = 0;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  record(about: KubeObject, { type, reason, message }: EventText): void {
    const { uid = '' } = about.metadata;
    const key = JSON.stringify([uid, reason, message]);
    const before = this.#kept.get(key);
    this.#kept.delete(key);
    const time = kubeTime();
    if (before === undefined) {
      const event = this.#store.create(
        keys.events,
        this.#newEvent(about, { type, reason, message }, time),
      );
      this.#kept.set(key, { event, count: 1, at: Date.now() });
    } else {
      const count = before.count + 1;
      const event = this.#store.update(keys.events, {
        ...before.event,
        count,
        lastTimestamp: time,
      });
      this.#kept.set(key, { event, count, at: Date.now() });
    }
    this.#forgetOld();
  }

  #newEvent(about: KubeObject, { type, reason, message }: EventText, time: string): KubeObject {
    const { name, namespace = 'default', uid, resourceVersion } = about.metadata;
    this.#number += 1;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${name.slice(0, 200)}.${Date.now().toString(16)}${this.#number.toString(16).padStart(5, '0')}`,
        namespace,
      },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        namespace,
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type,
      reason,
      message: message.slice(0, 1024),
      source: { component: 'sandport' },
      reportingComponent: 'sandport',
      reportingInstance: 'sandport',
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
    };
  }

  #forgetOld(): void {
    const oldest = Date.now() - keptMs;
    for (const [key, { event, at }] of this.#kept) {
      if (this.#kept.size <= mostEvents && at >= oldest) return;
      this.#kept.delete(key);
      removeIfThere(this.#store, keys.events, event);
    }
  }
}
