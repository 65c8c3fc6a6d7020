import { expect, test } from 'vitest'
import { logInAgain } from './demo-login.ts'
import { ApiClient } from './seed.ts'

class Answering extends ApiClient {
  readonly #answer: () => Response
  constructor(answer: () => Response) {
    super('http://none.test', 'key')
    this.#answer = answer
  }
  override async request() {
    return this.#answer()
  }
}

async function loginsOn(answer: () => Response, login = async () => {}) {
  const logins: string[] = []
  const said: string[] = []
  await logInAgain(
    new Answering(answer),
    'demo',
    'AB1234',
    (line) => said.push(line),
    async (_api, account, user) => {
      await login()
      logins.push(`${account} ${user}`)
    },
  )
  return { logins, said }
}
const status = (value: string) => () => Response.json({ status: value })

test.each(['active', 'dead', 'expired'])(
  'a session that is %s is made anew, and it is said',
  async (value) => {
    const { logins, said } = await loginsOn(status(value))
    expect(logins).toEqual(['demo AB1234'])
    expect(said).toEqual([expect.stringContaining('logged in again')])
  },
)

test.each([
  ['logged out', status('logged_out')],
  ['gone', () => new Response(null, { status: 404 })],
])('an account that is %s is left alone', async (_, answer) => {
  expect(await loginsOn(answer)).toEqual({ logins: [], said: [] })
})

test('a login that fails is said, and ends nothing', async () => {
  const { said } = await loginsOn(status('dead'), () => Promise.reject(new Error('502')))
  expect(said).toEqual(['account demo could not be logged in again: 502'])
})
