import * as fc from 'fast-check';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelDirectory, ModelNode } from './model-tree.ts';

const NAMES = ['a', 'b', 'c', 'é'];

const name = fc.constantFrom(...NAMES);
const component = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 2, arbitrary: fc.constant('..') },
  { weight: 1, arbitrary: fc.constant('.') },
  { weight: 1, arbitrary: fc.constant('') },
);

/** Texts of symlinks; {OUTSIDE} stands for the canary's directory. */
const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('', '/', './', '../', '../../'), fc.array(component, { maxLength: 4 }))
      .map(([start, parts]) => `${start}${parts.join('/')}`)
      .filter((text) => text !== ''),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '{OUTSIDE}',
      '{OUTSIDE}/secret.txt',
      '../../../../../../../..{OUTSIDE}',
      '{OUTSIDE}/sub/',
    ),
  },
);

export interface Plan {
  readonly path: readonly string[];
  readonly kind: 'directory' | 'file' | 'symlink';
  readonly target: string;
}

/** How a tree is planted: entries below directories that are made when they are missing. */
const treePlan: fc.Arbitrary<Plan[]> = fc.array(
  fc.record({
    path: fc.array(name, { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('directory', 'file', 'symlink', 'symlink', 'symlink'),
    target,
  }),
  { minLength: 1, maxLength: 8 },
);

export interface Attack {
  readonly operation: (typeof OPERATIONS)[number];
  readonly path: string;
  /** Where an operation with two paths leads to. */
  readonly to: string;
}

const OPERATIONS = [
  'read',
  'stat',
  'lstat',
  'list',
  'write',
  'mkdir',
  'remove',
  'removeAll',
  'append',
  'symlink',
  'move',
  'moveOver',
  'copy',
  'copyOver',
] as const;

const freePath = fc.array(component, { maxLength: 5 });

/** A tree's plan and attacks on it; most of their paths begin at something that was planned. */
export const scenario: fc.Arbitrary<{ plans: Plan[]; attacks: Attack[] }> = treePlan.chain(
  (plans) => {
    const planned =
      plans.length === 0
        ? freePath
        : fc
            .tuple(fc.constantFrom(...plans), fc.array(component, { maxLength: 2 }))
            .map(([plan, rest]) => [...plan.path, ...rest]);
    const path = fc
      .oneof({ weight: 4, arbitrary: planned }, { weight: 1, arbitrary: freePath })
      .map((parts) => `/${parts.join('/')}`);
    const attack = fc.record({ operation: fc.constantFrom(...OPERATIONS), path, to: path });
    return fc.record({
      plans: fc.constant(plans),
      attacks: fc.array(attack, { minLength: 4, maxLength: 4 }),
    });
  },
);

/** Grows the model by the plan; entries that do not fit are left out. */
export function growModel(root: ModelDirectory, plans: readonly Plan[], outside: string): void {
  for (const [index, plan] of plans.entries()) {
    let directory: ModelDirectory | undefined = root;
    for (const part of plan.path.slice(0, -1)) {
      const child: ModelNode = directory.children.get(part) ?? emptyDirectory();
      if (child.type !== 'directory') {
        directory = undefined;
        break;
      }
      directory.children.set(part, child);
      directory = child;
    }
    const last = plan.path.at(-1);
    if (directory === undefined || last === undefined || directory.children.has(last)) continue;
    directory.children.set(last, nodeOf(plan, index, outside));
  }
}

function emptyDirectory(): ModelDirectory {
  return { type: 'directory', children: new Map() };
}

function nodeOf(plan: Plan, index: number, outside: string): ModelNode {
  if (plan.kind === 'directory') return emptyDirectory();
  if (plan.kind === 'file') return { type: 'file', text: `text ${index}` };
  return { type: 'symlink', target: plan.target.replace('{OUTSIDE}', outside) };
}

/** Makes the model's tree on disk. */
export function plantModel(directory: ModelDirectory, path: string): void {
  for (const [entry, node] of directory.children) {
    const at = join(path, entry);
    if (node.type === 'file') writeFileSync(at, node.text);
    else if (node.type === 'symlink') symlinkSync(node.target, at);
    else {
      mkdirSync(at);
      plantModel(node, at);
    }
  }
}
