import { describe, expect, it, vi } from 'vitest'
import { silentLog } from './log.ts'
import { checkOpenFiles, openFilesMax } from './open-files.ts'

const limits = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft.padEnd(20)} 1048576              files\n`

describe('the limit of open files', () => {
  it('is read from what the kernel says of this process, if it says it', () => {
    expect(openFilesMax(() => limits('1024'))).toBe(1_024)
    expect(openFilesMax(() => limits('unlimited'))).toBeUndefined()
    expect(
      openFilesMax(() => {
        throw new Error('ENOENT')
      }),
    ).toBeUndefined()
  })

  it('is warned of when not every client could connect', () => {
    const warn = vi.fn()
    const log = Object.assign(Object.create(silentLog), { warn })
    checkOpenFiles(log, 6_000, undefined)
    checkOpenFiles(log, 6_000, 6_250)
    expect(warn).not.toHaveBeenCalled()
    checkOpenFiles(log, 6_000, 1_024)
    expect(warn).toHaveBeenCalledWith(
      { open_files_max: 1_024, needed: 6_250 },
      expect.stringContaining('ulimit'),
    )
  })
})
