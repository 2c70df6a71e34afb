import type { Setting } from '../src/config/setting.ts'
import { settings } from '../src/config/settings.ts'

const before = `<!-- Made from src/config/settings.ts by \`npm run docs\`. Do not edit by hand. -->
# Configuration

A setting may be given in five places. The first that has it wins:

1. the flag, where the command takes it (\`market-kpi COMMAND --help\` lists them);
2. the environment;
3. the file \`.env\` in the working directory, as \`NAME=value\`;
4. the file \`market-kpi.yaml\` in the working directory, as \`name: value\` with the name in lower case;
5. the default.

An empty value in the environment or in \`.env\` counts as not given. A value that is not allowed ends the command with exit
code 2 and one line that names the setting, the value and what is allowed; so does a name in \`market-kpi.yaml\` that no
setting has. Secrets, marked 🔒, never appear in any output: keep them out of flags and files that others can read.

`

const after = `
## The servers of up

A command that needs Kafka or PostgreSQL, and whose settings name neither (\`KAFKA_BOOTSTRAP_SERVERS\`; \`DATABASE_URL\` or
\`POSTGRES_HOST\`), uses the servers that \`up\` runs in the working directory. It reads them from \`.market-kpi/endpoints.json\`; \`--data-dir\` names
another directory. The address, the encryption and the role come from there; topic and group too, unless the settings name
them. The role is the one with the fewest rights: \`bi_reader\` for commands that only read (\`health\`, \`verify\`, \`alerts check\`, …),
\`bi_user\` for those that write, the owner for \`init\`.

Where the settings name one of the two servers, the other is taken from \`up\` only if that \`up\` uses the named server as well. A
command never combines the broker of one pipeline with the database of another. When nothing runs there, the command says so in one
line and ends with exit code 2, or 3 if it is a check; when the \`up\` there was killed, with 1 or 3.

For psql and other programs \`up\` writes the same addresses to \`.market-kpi/env\`: \`. .market-kpi/env\`.

## Besides

These are not settings of market-kpi's own and stand in the environment only.

| Name | What |
| --- | --- |
| \`JAVA_HOME\` | the Java that runs the embedded broker; without it the \`java\` in \`PATH\`; 17 or newer |
| \`MARKET_KPI_CACHE\` | where the embedded broker's jars are kept; \`market-kpi\` in \`XDG_CACHE_HOME\` or in \`~/.cache\` when not set |
| \`NO_COLOR\` | when set, nothing is printed in colour |
`

/** The whole of docs/configuration.md. */
export function configurationPage(): string {
  const rows = Object.values(settings).map((setting) => row(setting))
  return `${before}${['| Name | Flag | Default | Allowed | What |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')}\n${after}`
}

function row({ env, flag, default: fallback, allowed, description, secret }: Setting<unknown>): string {
  const name = `\`${env}\`${secret ? ' 🔒' : ''}`
  const cells = [name, flag ? `\`${flag}\`` : '', fallback === undefined ? '' : `\`${fallback}\``, allowed, description]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
