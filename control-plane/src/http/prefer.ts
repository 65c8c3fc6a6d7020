/** Seconds from a Prefer header (RFC 7240), bounded; undefined when it does not ask to wait. */
export function waitSeconds(prefer: string | undefined, secondsMax: number): number | undefined {
  const found = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(prefer ?? '')?.[1]
  return found === undefined ? undefined : Math.min(Number(found), secondsMax)
}
