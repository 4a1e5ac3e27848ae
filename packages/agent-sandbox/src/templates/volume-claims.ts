import type { VolumeMount as SandboxVolume } from '@sandport/protocol';
import { volumeNameSchema } from '@sandport/protocol';
import type { Container, VolumeClaimTemplate } from './blueprint.ts';
import { parseQuantity } from './quantity.ts';

/** Name of the volume, and of the claim object, that a template of a Sandbox makes. */
export const volumeClaimName = (template: VolumeClaimTemplate, sandbox: string): string =>
  `${template.metadata?.name ?? ''}-${sandbox}`;

/** What is wrong with the claim templates of a sandbox, as a sentence. */
export function volumeClaimFault(
  templates: readonly VolumeClaimTemplate[],
  sandbox: string,
): string | undefined {
  const names = new Set<string>();
  for (const [at, template] of templates.entries()) {
    const name = template.metadata?.name ?? '';
    if (name === '') return `volumeClaimTemplates[${at}] has no metadata.name.`;
    if (names.has(name)) return `Two volumeClaimTemplates are called "${name}".`;
    names.add(name);
    const whole = volumeClaimName(template, sandbox);
    if (!volumeNameSchema.safeParse(whole).success)
      return `The volume would be called "${whole}", which is no DNS label of up to 63 characters; choose a shorter name.`;
    const { resources } = template.spec ?? {};
    const size = resources?.requests?.['storage'] ?? resources?.limits?.['storage'];
    const bytes = parseQuantity(size);
    if (size !== undefined && (bytes === undefined || bytes < 16 * 2 ** 20 || bytes > 2 ** 40))
      return `The volume "${name}" must have from 16Mi to 1Ti.`;
  }
  return undefined;
}

/** The volume that a claim template makes, where the container mounts it. */
export function claimedVolume(
  template: VolumeClaimTemplate,
  sandbox: string,
  { volumeMounts = [] }: Container,
): SandboxVolume {
  const name = template.metadata?.name ?? '';
  const mount = volumeMounts.find((each) => each.name === name);
  const { resources } = template.spec ?? {};
  const bytes = parseQuantity(resources?.requests?.['storage'] ?? resources?.limits?.['storage']);
  return {
    name: volumeNameSchema.parse(volumeClaimName(template, sandbox)),
    path: mount?.mountPath ?? `/mnt/${name}`,
    ...(mount?.readOnly === true ? { read_only: true } : {}),
    ...(bytes === undefined ? {} : { size_mb: Math.ceil(bytes / 2 ** 20) }),
  };
}
