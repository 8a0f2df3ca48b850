# syntax=docker/dockerfile:1
# Two images out of one file. `fleet` (the default) runs the controller, the worker and the CLI; `local` is the same and
# has, besides, the local Kinesis, DynamoDB and producer, for kind and the end-to-end tests.
# Node runs the TypeScript files as they are; what it makes of them is kept in the image, so that a process starts in
# little more than half the processor time.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Declarations and maps are a fifth of it, and no process reads them.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -name '*.map' \) -delete \
  && chmod -R a+rX node_modules

# dynalite is a development dependency; in the version, and with the dependencies, that the lockfile says.
FROM dependencies AS local-dependencies
RUN dynalite="$(node -p 'require("./package.json").devDependencies.dynalite')" \
  && npm pkg delete devDependencies optionalDependencies \
  && npm pkg set "dependencies.dynalite=$dynalite" \
  && npm install --omit=optional --ignore-scripts --no-audit --no-fund \
  && chmod -R a+rX node_modules

# Files in one layer, readable for any user whatever the umask of the checkout was. VERSION, when given, is what the
# processes call themselves in place of the version in package.json.
FROM node:24-bookworm-slim AS files
ARG VERSION=''
WORKDIR /app
COPY package.json LICENSE ./
COPY runtime ./runtime
COPY proto ./proto
COPY pipelines ./pipelines
COPY lease ./lease
COPY ledger ./ledger
COPY signal ./signal
COPY controller ./controller
COPY worker ./worker
COPY producer ./producer
COPY cli ./cli
RUN if [ -n "$VERSION" ]; then npm pkg set "version=$VERSION"; fi && chmod -R a+rX . && chmod a+x cli/main.ts

FROM node:24-bookworm-slim AS runtime
ARG VERSION=''
ARG REVISION=''
ARG CREATED=''
LABEL org.opencontainers.image.title="kinesis-fleet" \
  org.opencontainers.image.description="A Kubernetes-native fleet that consumes Kinesis streams: exact counts, fast failover" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.created="$CREATED"
# V8 takes semi-spaces of 1 or 2 MiB where a container has half a GiB, and collects them all the time, which costs a third
# of the throughput. 8 MiB: nearly as cheap as the 16 of a larger machine, and 100 shards stay below 200 MB. Two malloc
# arenas are enough for one thread that works.
ENV NODE_ENV=production \
  NODE_OPTIONS=--max-semi-space-size=8 \
  MALLOC_ARENA_MAX=2
RUN ln -s /app/cli/main.ts /usr/local/bin/kinesis-fleet
WORKDIR /app
EXPOSE 8080
USER 65532:65532
# No shell in between: Node is process 1 and gets SIGTERM itself.
ENTRYPOINT []
CMD ["node", "worker/main.ts"]

# Every module is loaded once, by the user who will run it: the cache of another user or processor is not used, and
# whoever runs as one compiles for himself.
FROM runtime AS compiled
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=files /app ./
USER root
RUN install --directory --mode=0777 /compiled
USER 65532:65532
RUN NODE_COMPILE_CACHE=/compiled node --input-type=module --eval " \
  import { globSync } from 'node:fs'; \
  const isModule = (path) => !/^node_modules|main\.ts$/.test(path); \
  await Promise.all(globSync('*/**/*.ts').filter(isModule).map((path) => import('/app/' + path)))"

FROM runtime AS local
COPY --from=local-dependencies /app/node_modules ./node_modules
COPY --from=files /app ./
COPY --from=compiled /compiled ./.compiled
COPY --chmod=755 local ./local
ENV NODE_COMPILE_CACHE=/app/.compiled
CMD ["node", "local/kinesis/main.ts", "--host=0.0.0.0", "--port=4567"]

FROM runtime AS fleet
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=files /app ./
COPY --from=compiled /compiled ./.compiled
ENV NODE_COMPILE_CACHE=/app/.compiled
