/**
 * How a process of the fleet manages its memory in the chart's container: what the image's Dockerfile and the chart set,
 * and the limit of the old generation that Node takes by itself where the container's limit is the chart's 512 MiB. A
 * process that sees a whole machine's memory lets garbage lie for longer, which makes it larger and a little faster.
 */
const OLD_GENERATION = '--max-old-space-size=256';

export const CONTAINER_ENV = {
  worker: { NODE_OPTIONS: `--max-semi-space-size=8 ${OLD_GENERATION}`, MALLOC_ARENA_MAX: '2' },
  controller: { NODE_OPTIONS: `--max-semi-space-size=2 ${OLD_GENERATION}`, MALLOC_ARENA_MAX: '2' },
} as const;
