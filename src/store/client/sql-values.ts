/**
 * How values travel to PostgreSQL and back. Arrays are passed in PostgreSQL's own text notation, which is built here at
 * once; instants as microseconds since 1970, which JavaScript and PostgreSQL both hold exactly.
 */

/** A text[]; null becomes NULL. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((v) => (v === null ? 'NULL' : `"${v.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`
}

/** A bytea[]; null becomes NULL. */
export function byteaArray(values: readonly (Uint8Array | null)[]): string {
  return `{${values.map((v) => (v === null ? 'NULL' : `"\\\\x${Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString('hex')}"`)).join(',')}}`
}

/** An array of integers; null becomes NULL. */
export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((v) => (v === null ? 'NULL' : v)).join(',')}}`
}

/** SQL: a timestamptz as microseconds. The function kpi_instant is the inverse. */
export function microsecondsSql(instant: string): string {
  return `(extract(epoch FROM ${instant}) * 1000000)::bigint`
}

/** SQL: a call that passes each value by the name of its parameter, in the order of the names: `f(a => $1, b => $2)`. */
export function namedCallSql(functionName: string, parameters: readonly string[]): string {
  return `${functionName}(${parameters.map((name, i) => `${name} => $${i + 1}`).join(', ')})`
}
