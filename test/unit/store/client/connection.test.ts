import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../../src/config/load.ts'
import { placeOf, postgresOptions } from '../../../../src/store/client/connection.ts'

function optionsOf(env: Record<string, string>) {
  return postgresOptions(loadConfig({ env }))
}

const invalid = expect.objectContaining({ code: 'KPI_CONFIG_INVALID' })

describe('postgresOptions', () => {
  it('takes POSTGRES_*', () => {
    const env = {
      POSTGRES_HOST: 'db',
      POSTGRES_PORT: '5433',
      POSTGRES_DB: 'x',
      POSTGRES_USER: 'u',
      POSTGRES_PASSWORD: 'p',
    }
    const options = optionsOf(env)
    expect(options).toMatchObject({ host: 'db', port: 5433, database: 'x', user: 'u', password: 'p' })
    expect(placeOf(options)).toBe('db:5433/x')
    expect(() => optionsOf({})).toThrow(invalid)
  })

  it('takes DATABASE_URL, and the rest from POSTGRES_*', () => {
    expect(optionsOf({ DATABASE_URL: 'postgresql://u%40x:p%2F%25@db:5433/the%20one?sslmode=require' })).toMatchObject({
      host: 'db',
      port: 5433,
      database: 'the one',
      user: 'u@x',
      password: 'p/%',
      sslMode: 'require',
    })
    expect(
      optionsOf({
        DATABASE_URL: 'postgres://[::1]',
        POSTGRES_DB: 'x',
        POSTGRES_USER: 'u',
        POSTGRES_SSLMODE: 'disable',
      }),
    ).toMatchObject({ host: '::1', port: 5432, database: 'x', user: 'u', password: undefined, sslMode: 'disable' })
  })

  it.each(['db:5432/x', 'postgresql://', 'postgresql://u:%zz@db/x', 'postgresql://u:secret@db/x?sslmode=perhaps'])(
    'refuses the address %s without showing it',
    (url) => {
      expect(() => optionsOf({ DATABASE_URL: url })).toThrow(invalid)
      expect(() => optionsOf({ DATABASE_URL: url })).toThrow(/^DATABASE_URL=\(hidden\): must be postgres/)
    },
  )
})
