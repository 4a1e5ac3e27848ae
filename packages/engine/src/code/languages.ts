import { readFileSync } from 'node:fs';
import { type CodeLanguage, codeLanguages, SandportFault } from '@sandport/protocol';

/** How the kernel of a language is started and told. */
export interface Language {
  readonly name: CodeLanguage;
  /** Program and arguments. @param mark of its frames */
  args(mark: string): string[];
  /** Debian packages that have what it needs. */
  readonly needs: string;
  /** What is written before SIGINT is sent, to interrupt. @default nothing */
  readonly interruptMessage?: string;
  /** True: after SIGTERM it ends with all that its code has started, process groups of its own too. */
  readonly endsByItself?: boolean;
  /** True: for a second or more, with a processor to itself. */
  readonly startsSlowly?: boolean;
  /** True: that it ended by its own exit code is no error. */
  readonly mayExit?: boolean;
}

const kernel = (file: string): string =>
  readFileSync(new URL(`../../kernels/${file}`, import.meta.url), 'utf8');

const languages: Readonly<Record<CodeLanguage, Language>> = {
  python: {
    name: 'python',
    args: (mark) => ['python3', '-c', kernel('python.py'), mark, kernel('python-kernel.py')],
    needs: 'python3-ipykernel',
    endsByItself: true,
    startsSlowly: true,
  },
  javascript: {
    name: 'javascript',
    args: (mark) => ['node', '-e', kernel('javascript.cjs'), mark],
    needs: 'nodejs',
    interruptMessage: '\x03',
  },
  shell: {
    name: 'shell',
    args: (mark) => ['bash', '-c', kernel('shell.bash'), 'bash', mark],
    needs: 'bash',
    mayExit: true,
  },
};

const aliases: Readonly<Record<string, CodeLanguage>> = {
  py: 'python',
  python3: 'python',
  js: 'javascript',
  node: 'javascript',
  bash: 'shell',
  sh: 'shell',
};

/** By name or alias. @throws SandportFault `language_unavailable` */
export function languageOf(name: string): Language {
  const known = Object.hasOwn(aliases, name) ? aliases[name] : name;
  const found = codeLanguages.find((each) => each === known);
  if (found === undefined)
    throw new SandportFault(
      'language_unavailable',
      `"${name.slice(0, 100)}" is not a language that can be run.`,
      {
        language: name.slice(0, 100),
        known: [...codeLanguages],
      },
    );
  return languages[found];
}
