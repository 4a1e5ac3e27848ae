import { SandportFault } from '@sandport/protocol';
import { bootstrap } from '../bootstrap.ts';
import type { TemplateRecipe } from '../recipe.ts';
import { baseRecipe } from '../recipes/base.ts';
import { needProgram } from '../tools/need-program.ts';
import type { RootSource } from './root-source.ts';

const dirtyDirectories = ['/var/log', '/var/cache/apt', '/var/cache/debconf', '/var/lib/apt/lists'];

/** From the Debian packages of a recipe. */
export const recipeSource =
  (recipe: TemplateRecipe, source = 'Debian packages'): RootSource =>
  async ({ directory, rootPath, onLine, signal }) => {
    needProgram('mmdebstrap');
    await bootstrap({
      packages: recipe.packages,
      target: rootPath,
      temporaryDirectory: directory,
      onLine,
      signal,
    });
    return {
      finish: {
        user: recipe.user,
        directories: recipe.directories,
        empty: dirtyDirectories,
        remove: recipe.remove,
      },
      source,
      user: recipe.user.name,
      workdir: recipe.workdir,
      env: recipe.env,
      limits: recipe.limits,
    };
  };

/** From Debian packages beside those of `base`. @throws SandportFault `invalid_request` */
export function packagesSource(packages: readonly string[]): RootSource {
  for (const name of packages)
    if (!/^[a-z0-9][a-z0-9.+-]+$/.test(name))
      throw new SandportFault('invalid_request', `"${name}" is not the name of a package.`, {
        field: 'packages',
      });
  const all = [...new Set([...baseRecipe.packages, ...packages])];
  const shown = packages.length === 0 ? '' : `: base with ${packages.join(', ')}`;
  return recipeSource({ ...baseRecipe, packages: all }, `Debian packages${shown}`);
}
