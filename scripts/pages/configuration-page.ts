import type { Setting } from '../../src/config/setting.ts'
import { settings } from '../../src/config/settings.ts'

const before = `<!-- Made from src/config/settings.ts by \`npm run docs\`. Do not edit by hand. -->
# Configuration

A setting can be given in five places. The first one that has it is used:

1. a flag, if the command has one for it (\`market-kpi COMMAND --help\` lists them);
2. an environment variable;
3. the file \`.env\` in the working directory, as \`NAME=value\`;
4. the file \`market-kpi.yaml\` in the working directory, as \`name: value\` with the name in lower case;
5. the default.

An empty value in the environment or in \`.env\` counts as not set. If a value is not allowed, or a name in \`market-kpi.yaml\` is unknown, the
command ends with exit code 2 and one line that names the setting, the value and what is allowed. Secrets, marked 🔒, never appear in any
output. Keep them out of flags and of files that others can read.

`

const after = `
## The servers of up

If a command needs Kafka or PostgreSQL and no server is configured (\`KAFKA_BOOTSTRAP_SERVERS\`; \`DATABASE_URL\` or \`POSTGRES_HOST\`), it uses
the servers that \`up\` runs in the working directory. It reads \`.market-kpi/endpoints.json\`; \`--data-dir\` names another directory. Address,
encryption and role come from that file, and also topic and group unless they are configured. The role is the one with the fewest rights:
\`bi_reader\` for commands that only read (\`health\`, \`verify\`, \`alerts check\`, …), \`bi_user\` for those that write, the owner for \`init\`.

If only one of the two servers is configured, the other one is taken from \`up\` only if that \`up\` uses the configured server too. A command
never combines the broker of one pipeline with the database of another. If no \`up\` runs there, the command says so in one line and ends with
exit code 2, or 3 if it is a check; if that \`up\` was killed, with 1 or 3.

For psql and other programs, \`up\` writes the same addresses to \`.market-kpi/env\`. Load them into a shell with \`. .market-kpi/env\`.

## Other environment variables

These are not settings; they can only be set in the environment.

| Name | Meaning |
| --- | --- |
| \`JAVA_HOME\` | the Java (17 or newer) that runs the embedded broker (default: the \`java\` in \`PATH\`) |
| \`MARKET_KPI_CACHE\` | folder of the embedded broker's jars (default: \`market-kpi\` in \`XDG_CACHE_HOME\` or in \`~/.cache\`) |
| \`NO_COLOR\` | if set, output has no colours |
`

/** The whole of docs/configuration.md. */
export function configurationPage(): string {
  const rows = Object.values(settings).map((setting) => row(setting))
  return `${before}${['| Name | Flag | Default | Allowed | Meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')}\n${after}`
}

function row({ env, flag, default: fallback, allowed, description, secret }: Setting<unknown>): string {
  const name = `\`${env}\`${secret ? ' 🔒' : ''}`
  const cells = [name, flag ? `\`${flag}\`` : '', fallback === undefined ? '' : `\`${fallback}\``, allowed, description]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
