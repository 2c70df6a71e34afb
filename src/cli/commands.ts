// Every command with its description, in the order of --help. The file that defines and runs a command is loaded only
// when that command is used, so that no command waits for code of others.
import type { Command } from 'commander'

/** A command, or a group of commands. */
export type CommandEntry = { readonly name: string; readonly description: string } & (
  | {
      /** Loads the function that adds arguments, options and the action to the command. */
      readonly load: () => Promise<(command: Command) => void>
    }
  | { readonly commands: readonly CommandEntry[] }
)

const alerts: readonly CommandEntry[] = [
  {
    name: 'check',
    description: 'check everything once and print problems and items that are OK',
    load: async () => (await import('./alerts/check.ts')).registerCheck,
  },
  {
    name: 'watch',
    description: 'check the pipeline continuously and send notifications (runs until stopped)',
    load: async () => (await import('./alerts/watch.ts')).registerWatch,
  },
  {
    name: 'list',
    description: 'list firing and pending alerts, and silences, as stored by the evaluator',
    load: async () => (await import('./alerts/list.ts')).registerList,
  },
  {
    name: 'history',
    description: 'list past alerts, newest first; they are kept for 90 days',
    load: async () => (await import('./alerts/list.ts')).registerHistory,
  },
  {
    name: 'silence',
    description:
      'suppress notifications for a while; alerts that were notified before are still notified when they are resolved',
    load: async () => (await import('./alerts/silence.ts')).registerSilence,
  },
  {
    name: 'unsilence',
    description: 'end a silence',
    load: async () => (await import('./alerts/silence.ts')).registerUnsilence,
  },
  {
    name: 'test',
    description: 'send a test notification to all receivers, or to one, and print the results',
    load: async () => (await import('./alerts/test.ts')).registerTest,
  },
  {
    name: 'explain',
    description: 'print the page of a rule: what it means, what to check, how to fix it; without a rule list all rules',
    load: async () => (await import('./alerts/explain.ts')).registerExplain,
  },
]

const offsets: readonly CommandEntry[] = [
  {
    name: 'show',
    description: 'show for each partition what the log holds, the position of the pipeline, and whether they match',
    load: async () => (await import('./offsets.ts')).registerShow,
  },
  {
    name: 'accept-gap',
    description: 'if a position is outside its log: record the gap, mark the windows that it may affect, and continue',
    load: async () => (await import('./offsets.ts')).registerAcceptGap,
  },
]

const deadLetters: readonly CommandEntry[] = [
  {
    name: 'list',
    description: 'list the newest rejected messages that were not retried, and count them by reason',
    load: async () => (await import('./dead-letters/list.ts')).registerList,
  },
  {
    name: 'show',
    description: 'show one rejected message with its reason and value',
    load: async () => (await import('./dead-letters/show.ts')).registerShow,
  },
  {
    name: 'retry',
    description: 'merge a rejected message, with a corrected value or with its own if that is accepted now',
    load: async () => (await import('./dead-letters/retry.ts')).registerRetry,
  },
  {
    name: 'purge',
    description: 'delete rejected messages from the table; they are still counted, and stay in the log',
    load: async () => (await import('./dead-letters/purge.ts')).registerPurge,
  },
]

const exports: readonly CommandEntry[] = [
  {
    name: 'prometheus-rules',
    description: 'print alerting rules for Prometheus, with the configured thresholds',
    load: async () => (await import('./export/prometheus-rules.ts')).registerPrometheusRules,
  },
  {
    name: 'grafana',
    description: 'write dashboards and data sources for Grafana (provisioning)',
    load: async () => (await import('./export/grafana.ts')).registerGrafana,
  },
  {
    name: 'config-schema',
    description: 'print the JSON schema of market-kpi.yaml, for editors',
    load: async () => (await import('./export/config-schema.ts')).registerConfigSchema,
  },
]

export const commands: readonly CommandEntry[] = [
  {
    name: 'up',
    description: 'run the whole pipeline on this machine until Ctrl-C: Kafka, PostgreSQL, feed, workers and alerts',
    load: async () => (await import('./up.ts')).register,
  },
  {
    name: 'down',
    description: 'stop the stack that `up` started, or what is left of it after `up` was killed',
    load: async () => (await import('./down.ts')).register,
  },
  {
    name: 'init',
    description: 'create or upgrade the topic, schema and roles on your own servers; safe to repeat',
    load: async () => (await import('./init.ts')).register,
  },
  {
    name: 'feed',
    description: 'send prices to Kafka: simulated ones, or those of a file',
    load: async () => (await import('./feed.ts')).register,
  },
  {
    name: 'consume',
    description: 'run workers, which read prices from Kafka and keep the rows in PostgreSQL',
    load: async () => (await import('./consume.ts')).register,
  },
  {
    name: 'health',
    description: 'check the whole pipeline once, in at most five seconds even when servers do not answer',
    load: async () => (await import('./health.ts')).register,
  },
  {
    name: 'monitor',
    description: 'show the pipeline live in the terminal; press ? to see the keys',
    load: async () => (await import('./monitor.ts')).register,
  },
  {
    name: 'alerts',
    description: 'check for problems, send notifications; list, silence and explain alerts',
    commands: alerts,
  },
  {
    name: 'verify',
    description: 'compute rows again from the Kafka log with separate code and compare them with the tables',
    load: async () => (await import('./verify.ts')).register,
  },
  {
    name: 'offsets',
    description: 'compare positions with the Kafka log; continue after messages were lost',
    commands: offsets,
  },
  {
    name: 'dead-letters',
    description: 'list, show, retry and delete rejected messages',
    commands: deadLetters,
  },
  {
    name: 'rebuild',
    description:
      'compute rows again from the Kafka log and replace those that differ; --all after a changed definition',
    load: async () => (await import('./rebuild.ts')).register,
  },
  {
    name: 'prune',
    description: 'delete old rows and old rejected messages, in small transactions',
    load: async () => (await import('./prune.ts')).register,
  },
  {
    name: 'open',
    description: 'open Grafana in the browser, or print its address',
    load: async () => (await import('./open.ts')).register,
  },
  {
    name: 'export',
    description: 'write files for other tools: Prometheus rules, Grafana dashboards, JSON schema of market-kpi.yaml',
    commands: exports,
  },
  {
    name: 'bench',
    description: 'measure throughput, latency, start-up and the effect of settings on this machine',
    load: async () => (await import('./bench.ts')).register,
  },
]
