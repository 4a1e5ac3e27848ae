import { defineConfig } from 'vitest/config';
import LongFirst from './scripts/testing/long-first.mjs';

// `unit` stands beside the sources. `sandboxes` makes real sandboxes, and `black-box` drives a real
// daemon through real clients. Three files run side by side, for two processors, because they wait
// much: each has directories, names and ports of its own, and waits for conditions rather than times.
export default defineConfig({
  test: {
    pool: 'forks',
    passWithNoTests: true,
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    // Packages see each other as their users do: what is built needs nothing from Vite.
    server: { deps: { external: [/\/(?:packages|sdks|apps)\/[^/]+\/dist\//] } },
    // A gate that a machine's hiccup closes is of no use: it tries again what fails, and names it.
    retry: process.env.CI === undefined ? 0 : 1,
    // A condition that is waited for may take as long as a machine with other work needs.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{packages,apps}/*/src/**/*.test.ts',
            'sdks/typescript/src/**/*.test.ts',
            'bench/src/**/*.test.ts',
            'scripts/**/*.test.mjs',
          ],
          exclude: ['packages/driver-local/src/**'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'sandboxes',
          include: ['packages/driver-local/src/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'black-box',
          include: ['tests/src/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
