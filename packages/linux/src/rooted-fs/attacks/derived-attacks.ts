import { AWAY } from './attacked-tree.ts';

/** Answers of the table for one path, by operation. */
export type KnownAnswers = ReadonlyMap<string, string>;

const SPECIAL = ['fifo', 'socket', 'character_device', 'block_device'];

/**
 * What operations answer that have no column of their own, from what the others do. Undefined: only
 * that nothing outside is touched.
 */
export const DERIVED: Readonly<Record<string, (known: KnownAnswers) => string | undefined>> = {
  append: (known) => known.get('write'),
  chmod: (known) => changed(known, 'nothing'),
  chown: (known) => changed(known, 'nothing'),
  touch: (known) => changed(known, 'nothing'),
  usage: (known) => {
    const stat = known.get('stat') ?? '';
    return isThere(stat) ? 'number' : stat;
  },
  'move away': (known) => {
    const removed = known.get('removeAll') ?? '';
    return removed.startsWith('-') ? `+${AWAY} ${removed}` : removed;
  },
  'copy away': (known) => {
    const isRoot = ['99 entries'].includes(known.get('list') ?? '');
    return isRoot ? 'invalid_path' : changed(known, `+${AWAY}`);
  },
  'move onto': () => undefined,
  'copy onto': () => undefined,
  symlink: () => undefined,
};

/** Of what works on files and directories, through symlinks, and not on the kernel's areas. */
function changed(known: KnownAnswers, answer: string): string {
  const stat = known.get('stat') ?? '';
  if (SPECIAL.includes(stat)) return 'not_a_regular_file';
  if (!isThere(stat)) return stat;
  const isHidden = known.get('removeAll') === 'not_a_regular_file';
  return isHidden ? 'not_a_regular_file' : answer;
}

const isThere = (stat: string): boolean => ['file', 'directory', ...SPECIAL].includes(stat);

/** One word for everything that came to where things are moved. */
export const summarize = (answer: string): string => {
  const parts = answer.split(/ (?=[-+=]\/)/);
  const [here, away] = [false, true].map((wanted) =>
    parts.filter((part) => part.startsWith(`+${AWAY}`) === wanted),
  );
  return [...((away?.length ?? 0) > 0 ? [`+${AWAY}`] : []), ...(here ?? [])].join(' ');
};
