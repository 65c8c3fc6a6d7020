// Run first by every script: a failed install leaves the system's Node on PATH, too old for the rest.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `Node ${process.versions.node} found, 24 needed. The project brings its own: run "npx pnpm install".`,
  )
  process.exit(1)
}
