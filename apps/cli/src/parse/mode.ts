import { InvalidArgumentError } from 'commander';

/** New permission bits of a file that has these. */
export type ModeChange = (permissions: number, isDirectory: boolean) => number;

const clause = /^([ugoa]*)([+\-=])([rwxXst]*)$/;
const bitsOfWho = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 } as const;
type Who = keyof typeof bitsOfWho;

/** Permission bits in octal: 644, 0755. */
export function octalMode(text: string): number {
  if (!/^[0-7]{3,4}$/.test(text)) {
    throw new InvalidArgumentError('It must be octal permission bits, as 644 or 0755.');
  }
  return Number.parseInt(text, 8);
}

/** What `chmod` takes: octal bits, or changes as `u+x,go-w`. The umask plays no part. */
export function modeChange(text: string): ModeChange {
  if (/^[0-7]+$/.test(text)) {
    const bits = octalMode(text);
    return () => bits;
  }
  const changes = text.split(',').map((part) => {
    const match = clause.exec(part);
    if (match === null) {
      throw new InvalidArgumentError('It must look like 755, +x, or u+rw,go-w.');
    }
    const [, who = '', operator = '+', letters = ''] = match;
    return { who: who === '' ? 'a' : who, operator, letters };
  });
  return (permissions, isDirectory) =>
    changes.reduce((mode, { who, operator, letters }) => {
      const mask = [...who].filter(isWho).reduce((bits, each) => bits | bitsOfWho[each], 0);
      const bits = mask & bitsOf(letters, mode, isDirectory);
      if (operator === '+') return mode | bits;
      if (operator === '-') return mode & ~bits;
      return (mode & ~mask) | bits;
    }, permissions);
}

const isWho = (letter: string): letter is Who => Object.hasOwn(bitsOfWho, letter);

/** For everybody; the mask of who is meant takes out the rest. */
function bitsOf(letters: string, mode: number, isDirectory: boolean): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 0o444;
    else if (letter === 'w') bits |= 0o222;
    else if (letter === 'x') bits |= 0o111;
    // Execute only where it makes sense: directories, and what somebody can execute.
    else if (letter === 'X') bits |= isDirectory || (mode & 0o111) !== 0 ? 0o111 : 0;
    else if (letter === 's') bits |= 0o6000;
    else bits |= 0o1000;
  }
  return bits;
}
