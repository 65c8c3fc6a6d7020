const hidden = new WeakMap<Secret, string>()

/** A value that cannot be printed: string conversion, JSON and inspection all give [secret]. */
export class Secret {
  constructor(value: string) {
    hidden.set(this, value)
  }
  /** The only way out; call it where the value leaves the process, nowhere else. */
  reveal(): string {
    return hidden.get(this) ?? ''
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
