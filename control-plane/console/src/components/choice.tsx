/** One of a few values, in a form; `words`: what people read instead of them. */
export function Choice(props: {
  name: string
  title: string
  values: readonly string[]
  words?: Record<string, string>
}) {
  return (
    <label>
      {props.title}
      <select name={props.name} required>
        {props.values.map((value) => (
          <option key={value} value={value}>
            {props.words?.[value] ?? value}
          </option>
        ))}
      </select>
    </label>
  )
}
