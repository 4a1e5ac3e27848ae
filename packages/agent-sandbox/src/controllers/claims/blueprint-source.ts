import type { KubeObject, ObjectStore } from '@sandport/kube-api';
import { templateOfShadowPool } from '../../conversion/kinds.ts';
import { keys } from '../../resources/keys.ts';
import { annotations } from '../../resources/labels.ts';
import {
  type TemplateSpecification,
  templateSpec,
  warmPoolSpec,
} from '../../templates/blueprint.ts';
import type { ImageTemplates } from '../images/image-templates.ts';

/** What a claim's sandbox is to be like. */
export interface BlueprintSource {
  /** Name of the template. */
  readonly template: string;
  readonly spec: TemplateSpecification;
  /** Those that go on to the Sandbox. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Why there is no template for a claim. */
export interface Missing {
  readonly reason: 'TemplateNotFound' | 'WarmPoolNotFound';
  readonly message: string;
}

/** Pools by these names need no object, as the page about the client uses them. */
const knownPools: ReadonlyMap<string, string> = new Map([
  ['python-sandbox-pool', 'base'],
  ['python-sandbox-warmpool', 'base'],
]);

export interface SourceOptions {
  readonly store: ObjectStore;
  readonly images: Pick<ImageTemplates, 'has'>;
}

/** Finds the template of a pool, or of what a claim calls one. */
export async function sourceOfPool(
  pool: string,
  namespace: string,
  options: SourceOptions,
): Promise<BlueprintSource | Missing> {
  const object = options.store.get(keys.warmPools, namespace, pool);
  if (object !== undefined) {
    const name = warmPoolSpec(object).sandboxTemplateRef?.name ?? '';
    return (await sourceOfTemplate(name, namespace, options)) ?? templateNotFound(name, namespace);
  }
  const shadowed = templateOfShadowPool(pool);
  if (shadowed !== undefined)
    return (
      (await sourceOfTemplate(shadowed, namespace, options)) ??
      templateNotFound(shadowed, namespace)
    );
  return (
    (await sourceOfTemplate(pool, namespace, options)) ??
    (await sourceOfTemplate(knownPools.get(pool) ?? '', namespace, options)) ?? {
      reason: 'WarmPoolNotFound',
      message: `SandboxWarmPool "${pool}" not found in namespace "${namespace}", and no template is called so`,
    }
  );
}

/** A SandboxTemplate of the namespace, or a template or alias of Sandport. */
export async function sourceOfTemplate(
  name: string,
  namespace: string,
  { store, images }: SourceOptions,
): Promise<BlueprintSource | undefined> {
  if (name === '') return undefined;
  const object = store.get(keys.templates, namespace, name);
  if (object !== undefined)
    return { template: name, spec: templateSpec(object), annotations: markings(object) };
  if (!(await images.has(name))) return undefined;
  return {
    template: name,
    spec: {
      podTemplate: { spec: { containers: [{ name: 'sandbox', image: `sandport/${name}` }] } },
      envVarsInjectionPolicy: 'Overrides',
      volumeClaimTemplatesPolicy: 'Overrides',
    },
    annotations: {},
  };
}

const templateNotFound = (name: string, namespace: string): Missing => ({
  reason: 'TemplateNotFound',
  message: `SandboxTemplate "${name}" not found in namespace "${namespace}", and no template of Sandport is called so`,
});

/** What the administrator who made the template has said about its image. */
function markings({ metadata }: KubeObject): Record<string, string> {
  const marks = [annotations.mayBuild, annotations.insecureRegistry];
  return Object.fromEntries(
    marks.flatMap((name) => {
      const value = metadata.annotations?.[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
