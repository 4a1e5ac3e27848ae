import { staleFiles } from '../generate.mjs';

export const name = 'generated files';

export async function check() {
  const stale = await staleFiles();
  return { problems: stale.map((path) => `${path} is out of date: run \`npm run generate\`.`) };
}
