import type { TemplateSource } from '@sandport/driver';
import { SandportFault } from '@sandport/protocol';
import { InvalidImage } from './images/invalid-image.ts';

/** What a build that went wrong answers. */
export function buildFault(template: string, source: TemplateSource, error: unknown): unknown {
  if (error instanceof SandportFault) return error;
  const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
  if (/no space left on device|ENOSPC/i.test(reason))
    return new SandportFault('disk_full', `The disk is full; "${template}" was not built.`);
  if (error instanceof InvalidImage) {
    const image = imageOf(source);
    return new SandportFault(
      'invalid_image',
      `The template "${template}" cannot be made${image === undefined ? '' : ` of ${image}`}: ${reason}.`,
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

function imageOf(source: TemplateSource): string | undefined {
  if (source.kind === 'image') return source.reference;
  return source.kind === 'archive' ? source.path : undefined;
}
