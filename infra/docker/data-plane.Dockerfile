# The data plane: the bundle and nothing else, as an unprivileged user.
# Build from the repository's root: npx pnpm build, then docker build -f infra/docker/data-plane.Dockerfile -t ticker-data-plane .
FROM node:24.21.0-bookworm-slim

ENV NODE_ENV=production \
    OPS_HOST=0.0.0.0
WORKDIR /app
COPY dist/data-plane/ ./
USER node
# 8080: streams and the Kite-compatible socket (public, behind TLS). 9090: health and metrics (private).
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --retries=6 CMD node main.js healthcheck
# The memory flags and why: infra/docker/node-flags.ts.
CMD ["node", "--max-semi-space-size=4", "--heap-growing-percent=30", "--enable-source-maps", "main.js", "serve"]
