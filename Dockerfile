# syntax=docker/dockerfile:1
# Targets: muster (the product), tools (with development packages: scripts), openldap (the directory of the local stack).
# Not run where it was written: no container engine was there.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts of packages stay off; the image's own Node stands in for the npm package of that name.
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node node_modules/.bin/node node_modules/node-bin-*

FROM packages AS product
COPY prisma ./prisma
COPY prisma.config.* tsconfig.json ./
COPY schemas ./schemas
COPY src ./src
# /bin/true stands in for an engine that Prisma would download and that generating does not need.
RUN PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 node node_modules/prisma/build/index.js generate
# Types are stripped once, here; with the flags below, for V8 keeps its part by them.
ENV NODE_COMPILE_CACHE=/app/node_modules/.cache/node
RUN for module in main lane-thread; do node --max-semi-space-size=16 --heap-growing-percent=100 src/cli/$module.ts --version; done

FROM product AS tools
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
COPY scripts ./scripts
COPY examples ./examples

FROM tools AS openldap
# No service starts while it is installed, and the database that Debian would make is not wanted.
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
  && echo 'slapd slapd/no_configuration boolean true' | debconf-set-selections \
  && apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slapd ldap-utils procps \
  && rm -rf /var/lib/apt/lists/* && mkdir -p /var/lib/openldap && chown node:node /var/lib/openldap
USER node
VOLUME /var/lib/openldap
EXPOSE 3890 6360
CMD ["node", "scripts/stack/serve-slapd.ts", "/var/lib/openldap", "examples/bank/directory.ldif"]

FROM node:24-bookworm-slim AS muster
WORKDIR /app
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/node_modules/.cache/node MALLOC_ARENA_MAX=2 NODE_OPTIONS=--disable-warning=TimeoutNegativeWarning KAFKAJS_NO_PARTITIONER_WARNING=1
COPY --from=product /app ./
USER node
ENTRYPOINT ["node", "--max-semi-space-size=16", "--heap-growing-percent=100", "src/cli/main.ts"]
CMD ["serve"]
