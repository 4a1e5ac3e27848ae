import type { KubeObject } from '@sandport/kube-api';
import {
  type CreateSandbox,
  type Isolation,
  type Network,
  type Resources,
  type VolumeMount,
  volumeNameSchema,
} from '@sandport/protocol';
import { type Blueprint, type Container, sandboxSpec } from './blueprint.ts';
import { isolationOf } from './isolation.ts';
import { resourcesOf } from './limits.ts';
import { claimedVolume } from './volume-claims.ts';

/** What a Sandbox object asks the engine for. */
export interface SandboxPlan {
  readonly image: string;
  readonly isolation: Isolation | undefined;
  readonly resources: Resources;
  readonly volumes: readonly VolumeMount[];
  /** Directories that are made in the sandbox. */
  readonly directories: readonly string[];
  readonly user: string | undefined;
  readonly workdir: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** Variables that get the address of the sandbox once it has one. */
  readonly addressVariables: readonly string[];
}

/** The image of pod templates that name none. */
export const defaultImage = 'sandport/base';

const firstContainer = ({ podTemplate }: Blueprint): Container =>
  podTemplate?.spec?.containers?.[0] ?? { name: 'sandbox' };

/** Which pool the sandboxes of a blueprint can come from. */
export function poolPlan(
  blueprint: Blueprint,
): Pick<SandboxPlan, 'image' | 'isolation' | 'resources'> {
  const container = firstContainer(blueprint);
  const isolation = isolationOf(blueprint.podTemplate?.spec?.runtimeClassName);
  return {
    image: container.image ?? defaultImage,
    isolation: isolation === 'default' ? undefined : isolation,
    resources: resourcesOf(container).resources,
  };
}

export function sandboxPlan(object: KubeObject): SandboxPlan {
  const spec = sandboxSpec(object);
  const container = firstContainer(spec);
  const pod = spec.podTemplate?.spec ?? {};
  const { metadata } = object;
  const env: Record<string, string> = {};
  const addressVariables: string[] = [];
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.uid': metadata.uid,
  };
  for (const { name, value, valueFrom } of container.env ?? []) {
    const path = valueFrom?.fieldRef?.fieldPath;
    if (path === 'status.podIP') addressVariables.push(name);
    else env[name] = path === undefined ? (value ?? '') : (fields[path] ?? '');
  }
  const user = container.securityContext?.runAsUser ?? pod.securityContext?.runAsUser;
  const mounts = container.volumeMounts ?? [];
  const claims = spec.volumeClaimTemplates ?? [];
  const volumes = claims.map((claim) => claimedVolume(claim, metadata.name, container));
  const directories: string[] = [];
  for (const { name, emptyDir, persistentVolumeClaim } of pod.volumes ?? []) {
    // A claim template of the same name takes the place of a volume.
    if (claims.some((claim) => claim.metadata?.name === name)) continue;
    for (const { mountPath = '', readOnly } of mounts.filter((mount) => mount.name === name))
      if (persistentVolumeClaim?.claimName !== undefined)
        volumes.push({
          name: volumeNameSchema.parse(persistentVolumeClaim.claimName),
          path: mountPath,
          ...(readOnly === true || persistentVolumeClaim.readOnly === true
            ? { read_only: true }
            : {}),
        });
      else if (emptyDir !== undefined) directories.push(mountPath);
  }
  return {
    ...poolPlan(spec),
    volumes,
    directories,
    user: user === undefined ? undefined : String(user),
    workdir: container.workingDir,
    env,
    addressVariables,
  };
}

/**
 * The request to the engine, but for the names of things.
 * @param network undefined: what its template or its namespace says
 */
export function createRequest(plan: SandboxPlan, network: Network | undefined): CreateSandbox {
  const { isolation, resources, volumes, user, workdir, env } = plan;
  return {
    ...(network === undefined ? {} : { network }),
    ...(isolation === undefined ? {} : { isolation }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(volumes.length === 0 ? {} : { volumes: [...volumes] }),
    ...(user === undefined ? {} : { user }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(Object.keys(env).length === 0 ? {} : { env: { ...env } }),
  };
}
