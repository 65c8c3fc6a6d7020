// Structured logs, one line an event, redacted by field name and by pattern before they are written.
import { redact } from '@ticker/shared/redaction'
import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>

export function createLog(
  options: { level: string; base: Record<string, unknown> },
  destination?: DestinationStream,
): Log {
  const settings = {
    level: options.level,
    base: options.base,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Record<string, unknown>) => redact(fields) as Record<string, unknown>,
    },
    hooks: {
      logMethod(
        this: Logger,
        args: Parameters<Logger['info']>,
        method: (...parameters: Parameters<Logger['info']>) => void,
      ) {
        const shown = args.map((argument) => (typeof argument === 'string' ? redact(argument) : argument))
        method.apply(this, shown as Parameters<Logger['info']>)
      },
    },
  }
  return destination ? pino(settings, destination) : pino(settings)
}

/** For tests and for tools that print otherwise. */
export const silentLog: Log = pino({ level: 'silent' })
