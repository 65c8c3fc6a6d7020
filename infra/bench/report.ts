// What a long bench leaves in docs/: its own section of benchmarks.md, and files beside it.

export interface Report {
  markdown: string
  /** By their name in docs/. */
  files: Record<string, string>
}

const marker = (name: string) => `<!-- ${name} -->`

/** `text` with this between the markers of that section; throws without them. */
export function withSection(text: string, name: string, body: string): string {
  const [start, end] = [marker(name), marker(`/${name}`)]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`no section ${start} … ${end}`)
  return `${text.slice(0, from + start.length)}\n\n${body.trim()}\n\n${text.slice(to)}`
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const [head = [], ...rest] = rows
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rest.map(line)].join('\n')
}
