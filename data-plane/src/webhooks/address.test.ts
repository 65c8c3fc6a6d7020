import { expect, it } from 'vitest'
import { isPublicAddress } from './address.ts'

it.each([...['8.8.8.8', '103.233.92.10', '2606:4700:4700::1111', '::ffff:8.8.8.8']])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true)
  },
)

it.each([
  ...[
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
  ],
  ...['255.255.255.255', '192.0.2.1', '198.18.0.1', '::1', '::', 'fe80::1', 'fc00::1', 'fd12::1', 'ff02::1'],
  // The same in other clothes: mapped, translated, tunnelled.
  ...[
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:1:2:3:4:5:6',
    '2001:db8::1',
    '::7f00:1',
    '4000::1',
  ],
  ...['localhost', '', '1', '0x7f.1'],
])('%s is not', (address) => {
  expect(isPublicAddress(address)).toBe(false)
})
