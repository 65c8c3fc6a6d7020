// Which addresses a webhook may be sent to: the public internet, whatever a name resolves to at the moment of connecting.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Not private, loopback, link-local (metadata services), unique local, carrier-grade, mapped or translated to such. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false
  // An IPv4 address within IPv6 counts as itself.
  return ipaddr.process(address).range() === 'unicast'
}
