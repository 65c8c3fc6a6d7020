// The data plane as one file for the container: no node_modules, no TypeScript at run time.
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const OUT = join(ROOT, 'dist/data-plane')

/** The path of what to start, and the size of all files. */
export async function bundleDataPlane(): Promise<{ main: string; bytes: number }> {
  await rm(OUT, { recursive: true, force: true })
  await mkdir(OUT, { recursive: true })
  const main = join(OUT, 'main.js')
  const result = await build({
    entryPoints: [join(ROOT, 'data-plane/src/main.ts')],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    sourcemap: 'linked',
    outfile: main,
    // CommonJS dependencies (pg, pino) call require() for Node's own modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    // Optional native speed-ups that are not installed; the libraries look for them and go on without.
    external: ['pg-native', 'bufferutil', 'utf-8-validate'],
    metafile: true,
    logLevel: 'warning',
  })
  // migrate.ts looks for its SQL beside itself.
  await cp(join(ROOT, 'shared/src/db/migrations'), join(OUT, 'migrations'), { recursive: true })
  await writeFile(join(OUT, 'package.json'), '{ "type": "module" }\n')
  const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
  return { main, bytes }
}

if (import.meta.main) {
  const { bytes } = await bundleDataPlane()
  console.log(`dist/data-plane/main.js and map, ${(bytes / 1024).toFixed(0)} KiB`)
}
