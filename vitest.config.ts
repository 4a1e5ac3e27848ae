import { defineConfig } from 'vitest/config';

// `unit` stands beside the sources and may run side by side. `sandboxes` makes real sandboxes, and
// `black-box` drives a real daemon through real clients: both one file at a time, after the rest.
export default defineConfig({
  test: {
    pool: 'forks',
    passWithNoTests: true,
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
          maxWorkers: 2,
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
          fileParallelism: false,
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
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
