import type { Engine, Principal } from '@sandport/engine';
import type { KubeObject, ObjectStore } from '@sandport/kube-api';
import {
  namespaceSchema,
  parseGuestPath,
  SandportFault,
  type SandboxObject,
  sandboxNameSchema,
} from '@sandport/protocol';
import { annotations } from '../../resources/labels.ts';
import { isOpen, networkOfSandbox } from '../../templates/network/template-network.ts';
import { createRequest, type SandboxPlan, sandboxPlan } from '../../templates/sandbox-plan.ts';
import type { ImageTemplates } from '../images/image-templates.ts';
import { ownerLabels } from './held-sandboxes.ts';
import type { StartSlots } from './start-slots.ts';

export interface SandboxStarterOptions {
  readonly store: ObjectStore;
  readonly engine: Engine;
  readonly principal: Principal;
  readonly images: ImageTemplates;
  readonly slots: StartSlots;
}

/** What became of a start. */
export type Start =
  | {
      readonly kind: 'started';
      readonly sandbox: SandboxObject;
      readonly plan: SandboxPlan;
    }
  | {
      readonly kind: 'waiting';
      /** Of the condition. */
      readonly reason: 'TemplateBuilding' | 'TemplateBuildFailed' | 'ReconcilerError';
      readonly message: string;
      /** There is no room for it: it is to be tried when there is. */
      readonly crowded?: boolean;
      /** When to try again; left out: after a while. */
      readonly until?: Promise<void>;
    };

/** Makes the engine's sandbox of a Sandbox object. */
export class SandboxStarter {
  readonly #options: SandboxStarterOptions;

  constructor(options: SandboxStarterOptions) {
    this.#options = options;
  }

  /** @throws what the engine throws when `signal` aborts */
  async start(object: KubeObject, signal: AbortSignal): Promise<Start> {
    const plan = sandboxPlan(object);
    const marks = object.metadata.annotations ?? {};
    const image = await this.#options.images.resolve(plan.image, {
      mayBuild: marks[annotations.mayBuild] === 'true',
      insecure: marks[annotations.insecureRegistry] === 'true',
    });
    if (image.kind === 'building')
      return {
        kind: 'waiting',
        reason: 'TemplateBuilding',
        message: image.message,
        until: image.ended,
      };
    if (image.kind === 'failed')
      return { kind: 'waiting', reason: 'TemplateBuildFailed', message: image.message };
    try {
      const sandbox = await this.#create(object, image.template, plan, signal);
      return { kind: 'started', sandbox, plan };
    } catch (error) {
      if (!(error instanceof SandportFault) || signal.aborted) throw error;
      const { message, code } = error;
      const crowded = code === 'limit_reached';
      return { kind: 'waiting', reason: 'ReconcilerError', message, crowded };
    }
  }

  async #create(
    object: KubeObject,
    template: string,
    plan: SandboxPlan,
    signal: AbortSignal,
  ): Promise<SandboxObject> {
    const { store, engine, principal, slots } = this.#options;
    const { namespace = '', name, uid = '' } = object.metadata;
    const { isolation, resources, volumes } = plan;
    const hasVolumes = volumes.length > 0;
    const diskMb = resources.disk_mb;
    const networked = isOpen(networkOfSandbox(store, object));
    const wish = { namespace, template, isolation, diskMb, networked, hasVolumes };
    using slot = await slots.enter(wish, signal);
    void slot;
    const sandbox = await engine.sandboxes.create(
      principal,
      {
        // As the template says by now.
        ...createRequest(plan, networkOfSandbox(store, object)),
        template,
        namespace: namespaceSchema.parse(namespace),
        name: sandboxNameSchema.parse(name),
        metadata: { [ownerLabels.name]: name, [ownerLabels.uid]: uid },
      },
      { signal },
    );
    await this.#makeDirectories(sandbox, plan.directories);
    return sandbox;
  }

  /** They belong to the user of the sandbox. */
  async #makeDirectories({ id }: SandboxObject, paths: readonly string[]): Promise<void> {
    const { engine, principal } = this.#options;
    const { sandbox } = engine.sandboxes.find(principal, id);
    for (const path of paths) await sandbox?.files.makeDirectory(parseGuestPath(path));
  }
}
