// One line of JSON an event, redacted by field and by pattern before it leaves the process.
import { redact } from '@ticker/shared/redaction'

export type LogLevel = 'info' | 'warn' | 'error'
export type Log = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void

export function lineLog(write: (line: string) => void, nowMs: () => number): Log {
  return (level, event, fields = {}) => {
    const safe = redact(fields)
    const entry = typeof safe === 'object' && safe !== null ? safe : {}
    write(JSON.stringify({ at: new Date(nowMs()).toISOString(), level, event, ...entry }))
  }
}
