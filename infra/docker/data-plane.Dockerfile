# The data plane: the bundle and nothing else, as an unprivileged user.
# Build from the repository's root: npx pnpm build, then docker build -f infra/docker/data-plane.Dockerfile -t ticker-data-plane .
FROM node:24.21.0-bookworm-slim

ENV NODE_ENV=production \
    OPS_HOST=0.0.0.0 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
COPY dist/data-plane/ ./
# Where a halt outlives a restart (STATE_DIR).
RUN mkdir /state && chown node:node /state
USER node
# 8080: streams and the Kite-compatible socket (public, behind TLS). 9090: health and metrics (private).
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --retries=6 CMD node main.js healthcheck
# The memory settings, MALLOC_* too, and why: infra/docker/memory-settings.ts.
CMD ["node", "--max-semi-space-size=4", "--heap-growing-percent=15", "--enable-source-maps", "main.js", "serve"]
