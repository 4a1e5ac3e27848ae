import { templateNameSchema } from '@sandport/protocol';
import type { TemplateRecipe } from '../recipe.ts';
import { baseRecipe } from './base.ts';

export const codeInterpreterRecipe: TemplateRecipe = {
  ...baseRecipe,
  name: templateNameSchema.parse('code-interpreter'),
  description:
    'base with pip, venv, numpy, pandas, matplotlib, Jupyter kernel for Python, Node.js, git and curl',
  packages: [
    ...baseRecipe.packages,
    'python3-pip',
    'python3-venv',
    'python3-numpy',
    'python3-pandas',
    'python3-matplotlib',
    'python3-ipykernel',
    'python3-jupyter-client',
    'nodejs',
    'git',
    'curl',
  ],
  // The mark that makes pip refuse to install beside Debian's packages.
  remove: [
    '/usr/lib/python3.10/EXTERNALLY-MANAGED',
    '/usr/lib/python3.11/EXTERNALLY-MANAGED',
    '/usr/lib/python3.12/EXTERNALLY-MANAGED',
    '/usr/lib/python3.13/EXTERNALLY-MANAGED',
  ],
  env: { ...baseRecipe.env, MPLBACKEND: 'Agg' },
};
