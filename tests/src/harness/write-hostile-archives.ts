// Writes the corpus of hostile archives to a directory: NAME.tar for each, and index.json with
// what each tries and how it must end. For readers in other languages.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escapedText, hostileArchives, innocentName, innocentText } from './hostile-archives.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: write-hostile-archives DIRECTORY');
mkdirSync(directory, { recursive: true });
const archives = hostileArchives().map(({ bytes, limits, ...rest }) => {
  const file = `${rest.name}.tar`;
  writeFileSync(join(directory, file), bytes);
  return { ...rest, file, max_bytes: limits?.maxBytes, max_entries: limits?.maxEntries };
});
writeFileSync(
  join(directory, 'index.json'),
  `${JSON.stringify({ escaped_text: escapedText, innocent_name: innocentName, innocent_text: innocentText, archives }, null, 2)}\n`,
);
