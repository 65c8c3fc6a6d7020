// The broker stand-in, started in process by tests and as a child process (`main.ts`) by the launcher.
export { type Simulator, type SimulatorOptions, startSimulator } from './simulator.ts'
export type { UserOptions } from './users/user-store.ts'
