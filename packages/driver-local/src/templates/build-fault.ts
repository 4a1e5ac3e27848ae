import type { TemplateSource } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { InvalidImage } from './images/invalid-image.ts';

/** What a build that went wrong answers. */
export function buildFault(template: string, source: TemplateSource, error: unknown): unknown {
  if (error instanceof SandportFault) return error;
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  if (/no space left|ENOSPC|EDQUOT/i.test(reason))
    return new SandportFault('disk_full', `The disk is full; "${template}" was not built.`);
  if (error instanceof InvalidImage) {
    const image = source.kind === 'image' ? source.reference : undefined;
    const what = image ?? (source.kind === 'archive' ? 'the archive' : 'its source');
    return new SandportFault(
      'invalid_image',
      `The template "${template}" cannot be made of ${what}: ${reason}.`,
      { template, reason, ...(image === undefined ? {} : { image }) },
      { cause: error },
    );
  }
  return new SandportFault(
    'template_build_failed',
    `The template "${template}" could not be built: ${reason}.`,
    { template, reason },
    { cause: error },
  );
}
