import { collectDefaultMetrics, Registry } from 'prom-client'

/** The process's own registry, with Node's memory, event loop and handles. */
export function createRegistry(labels: Record<string, string>): Registry {
  const registry = new Registry()
  registry.setDefaultLabels(labels)
  collectDefaultMetrics({ register: registry })
  return registry
}
