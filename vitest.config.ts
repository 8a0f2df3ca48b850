/**
 * Unit tests need no server; contract and integration tests run real servers, one file at a
 * time per core. Real processes are at the end because they are the slowest. End-to-end tests need a cluster, and run by
 * `npm run test:e2e` only.
 */
import { defineConfig } from 'vitest/config';

const servers = { testTimeout: 90_000, hookTimeout: 90_000, pool: 'forks' as const };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts', 'test/docs.test.ts'],
          // They take milliseconds; the limit is for a hang, on a machine that is busy with something else too.
          testTimeout: 10_000,
        },
      },
      // Worlds of their own: no server, no waiting, but seconds of work.
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], pool: 'forks', testTimeout: 600_000 } },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...servers } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/chaos/**/*.test.ts'],
          ...servers,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 400_000,
        },
      },
    ],
  },
});
