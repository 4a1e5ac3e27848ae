import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where packages come from: the release and lines for sources.list; no lines means the default. */
export interface AptSources {
  readonly suite: string;
  readonly lines: readonly string[];
}

interface Entry {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly signedBy?: string | undefined;
}

const fallbackSuite = 'bookworm';

/**
 * The release that templates are built from and its mirrors: the host's own when it is Debian or
 * Ubuntu (through the mirrors that the host is configured with), Debian bookworm otherwise.
 * @param etc directory to read `os-release` and `apt/` from. @default '/etc'
 */
export async function hostAptSources(etc = '/etc'): Promise<AptSources> {
  const release = parseOsRelease(await read(join(etc, 'os-release')));
  const suite = release.get('VERSION_CODENAME');
  const id = release.get('ID');
  if (suite === undefined || (id !== 'debian' && id !== 'ubuntu'))
    return { suite: fallbackSuite, lines: [] };
  const files = [join(etc, 'apt/sources.list'), ...(await listSourceFiles(etc))];
  const entries: Entry[] = [];
  for (const file of files) {
    const text = await read(file);
    entries.push(...(file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text)));
  }
  const wanted = new Set([suite, `${suite}-updates`, `${suite}-security`]);
  const lines = entries
    .filter((entry) => wanted.has(entry.suite) && entry.components.includes('main'))
    .map((entry) => sourceLine(entry, id === 'ubuntu'));
  const complete = entries.some((e) => e.suite === suite && e.components.includes('main'));
  return { suite, lines: complete ? [...new Set(lines)] : [] };
}

function sourceLine(entry: Entry, universe: boolean): string {
  const options = entry.signedBy === undefined ? '' : `[signed-by=${entry.signedBy}] `;
  return `deb ${options}${entry.uri} ${entry.suite} main${universe ? ' universe' : ''}`;
}

async function listSourceFiles(etc: string): Promise<string[]> {
  const directory = join(etc, 'apt/sources.list.d');
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => name.endsWith('.list') || name.endsWith('.sources'))
    .sort()
    .map((name) => join(directory, name));
}

const read = (file: string) => readFile(file, 'utf8').catch(() => '');

function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm))
    if (key !== undefined && value !== undefined) fields.set(key, value);
  return fields;
}

function parseOneLine(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    const [, options, uri, suite, components] = match ?? [];
    if (uri === undefined || suite === undefined || components === undefined) continue;
    entries.push({
      uri,
      suite,
      components: components.trim().split(/\s+/),
      signedBy: /signed-by=(\/\S+)/i.exec(options ?? '')?.[1],
    });
  }
  return entries;
}

function parseDeb822(text: string): Entry[] {
  const entries: Entry[] = [];
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  for (const stanza of lines.join('\n').split(/\n\s*\n/)) {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(stanza)?.[1]?.trim();
    const words = (name: string) => field(name)?.split(/\s+/).filter(Boolean) ?? [];
    if (!words('Types').includes('deb') || field('Enabled')?.toLowerCase() === 'no') continue;
    const key = field('Signed-By');
    for (const uri of words('URIs'))
      for (const suite of words('Suites'))
        entries.push({
          uri,
          suite,
          components: words('Components'),
          signedBy: key?.startsWith('/') ? key : undefined,
        });
  }
  return entries;
}
