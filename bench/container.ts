/**
 * How a process of the fleet manages its memory in the chart's container: what the image's Dockerfile sets, and the limit
 * of the old generation that Node takes by itself where the container's limit is the chart's 512 MiB. A process that sees
 * a whole machine's memory lets garbage lie for longer, which makes it larger and a little faster.
 */
export const CONTAINER_ENV = {
  NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=256',
  MALLOC_ARENA_MAX: '2',
} as const;
