// The clients of a hub, and how many of them each API key has: asked for at every connection, so it is counted as they
// come and go.

export class ClientSet<Client extends { readonly keyId: string }> extends Set<Client> {
  readonly #ofKey = new Map<string, number>()

  override add(client: Client): this {
    if (!this.has(client)) this.#ofKey.set(client.keyId, this.countOf(client.keyId) + 1)
    return super.add(client)
  }

  override delete(client: Client): boolean {
    if (!super.delete(client)) return false
    const left = this.countOf(client.keyId) - 1
    if (left > 0) this.#ofKey.set(client.keyId, left)
    else this.#ofKey.delete(client.keyId)
    return true
  }

  countOf(keyId: string): number {
    return this.#ofKey.get(keyId) ?? 0
  }
}

/** To look at. */
export type Clients<Client extends { readonly keyId: string }> = ReadonlySet<Client> &
  Pick<ClientSet<Client>, 'countOf'>
