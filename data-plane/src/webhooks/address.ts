// Which addresses a webhook may be sent to: the public internet, whatever a name resolves to at the moment of connecting.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Not private, loopback, link-local (metadata services), unique local, carrier-grade, mapped or translated to such. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  // An IPv4 address within IPv6 counts as itself.
  const known = ipaddr.process(address)
  if (known.range() !== 'unicast') return false
  // Of IPv6 only 2000::/3 is given out: what is compatible with IPv4, for one, looks like any other.
  return !(known instanceof ipaddr.IPv6) || ((known.parts[0] ?? 0) & 0xe000) === 0x2000
}
