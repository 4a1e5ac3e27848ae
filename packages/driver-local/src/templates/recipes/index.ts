import type { TemplateRecipe } from '../recipe.ts';
import { baseRecipe } from './base.ts';
import { codeInterpreterRecipe } from './code-interpreter.ts';

/** All templates that can be built. */
export const recipes: readonly TemplateRecipe[] = [baseRecipe, codeInterpreterRecipe];

export const findRecipe = (name: string): TemplateRecipe | undefined =>
  recipes.find((recipe) => recipe.name === name);
