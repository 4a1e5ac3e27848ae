import { KubeError } from '../../objects/kube-error.ts';

/** How a client wants objects: as they are, as rows to print, or their metadata only. */
export type ObjectForm = 'object' | 'table' | 'metadata';

const maxRanges = 32;

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/**
 * The form that an `Accept` header asks for first, among those that can be given.
 * @throws KubeError `NotAcceptable`
 */
export function acceptedForm(accept: string | undefined): ObjectForm {
  if (accept === undefined || accept.trim() === '') return 'object';
  const ranges = accept
    .split(',', maxRanges)
    .map(parseRange)
    .sort((left, right) => right.quality - left.quality);
  for (const range of ranges) {
    const form = formOf(range);
    if (form !== undefined) return form;
  }
  throw new KubeError(
    'NotAcceptable',
    'only the following media types are accepted: application/json',
  );
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase());
  const parameters = new Map(
    rest.map((part) => {
      const [name = '', value = ''] = part.split('=', 2);
      return [name.trim(), value.trim()] as const;
    }),
  );
  const quality = Number(parameters.get('q') ?? 1);
  return { type, parameters, quality: Number.isFinite(quality) ? quality : 0 };
}

function formOf({ type, parameters, quality }: MediaRange): ObjectForm | undefined {
  if (quality <= 0) return undefined;
  if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') return undefined;
  const as = parameters.get('as');
  if (as === undefined) return 'object';
  if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') return undefined;
  if (as === 'table') return 'table';
  return as.startsWith('partialobjectmetadata') ? 'metadata' : undefined;
}
