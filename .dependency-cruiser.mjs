// Imports point one way (docs/architecture.md):
//   cli → bench → services → features → (kafka, store, process, metrics) → (errors, log, config) → runtime → kpi
// Checked by `npm run check -- layers`. Type-only imports count: a type is knowledge of the other's insides too.

const features = [
  'consumer',
  'feed',
  'observe',
  'alerts',
  'monitor',
  'dashboard',
  'embedded',
  'stack',
  'verify',
  'rebuild',
  'recovery',
  'export',
]
const resources = ['kafka', 'store', 'process', 'metrics']
const top = ['services', 'bench', 'cli']
const base = '^src/(errors\\.ts$|log\\.ts$|(config|runtime)/)'
const known = `^src/(errors\\.ts$|log\\.ts$|(${[...top, ...features, ...resources, 'config', 'runtime', 'kpi'].join('|')})/)`

/** @type {(layers: readonly string[]) => string} */
const within = (layers) => `^src/(${layers.join('|')})/`

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'kpi-is-pure',
      comment:
        'The core of the numbers does no I/O and knows no clock, environment or library: it imports only itself.',
      severity: 'error',
      from: { path: '^src/kpi/' },
      to: { pathNot: '^src/kpi/' },
    },
    {
      name: 'runtime-is-below-all-but-kpi',
      comment: 'The clock, back-off and abort are used everywhere, so they may use only the errors.',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { path: '^src/', pathNot: '^src/(runtime/|kpi/|errors\\.ts$)' },
    },
    {
      name: 'base-stays-below',
      comment: 'Settings, errors and log are used by all, so they may use none of them.',
      severity: 'error',
      from: { path: base },
      to: { path: '^src/', pathNot: `${base}|^src/kpi/` },
    },
    {
      name: 'resources-stay-below-features',
      comment: 'Kafka, PostgreSQL, processes and metrics are used by features, not the other way round.',
      severity: 'error',
      from: { path: within(resources) },
      to: { path: within([...features, ...top]) },
    },
    {
      name: 'resources-stay-apart',
      comment: 'Kafka code does not know PostgreSQL, and the reverse: a feature brings them together.',
      severity: 'error',
      from: { path: `^src/(${resources.join('|')})/` },
      to: { path: within(resources), pathNot: '^src/$1/' },
    },
    {
      name: 'features-stay-apart',
      comment:
        'A feature never imports another: what two need belongs below, what joins two belongs into services. All may read observations; the stack starts the embedded servers.',
      severity: 'error',
      from: { path: `^src/(${features.filter((name) => name !== 'stack').join('|')})/` },
      to: { path: within(features), pathNot: '^src/($1|observe)/' },
    },
    {
      name: 'stack-starts-embedded-servers',
      comment: 'The stack may import the embedded servers and observations, and no other feature.',
      severity: 'error',
      from: { path: '^src/stack/' },
      to: { path: within(features), pathNot: '^src/(stack|embedded|observe)/' },
    },
    {
      name: 'features-stay-below-services',
      comment: 'Services wire features into programs; no feature may know them.',
      severity: 'error',
      from: { path: within(features) },
      to: { path: within(top) },
    },
    {
      name: 'services-stay-below-bench-and-cli',
      severity: 'error',
      from: { path: '^src/services/' },
      to: { path: within(['bench', 'cli']) },
    },
    {
      name: 'cli-on-top',
      comment: 'Commands are the top layer; nothing below may know them.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'known-layer',
      comment: 'A new folder in src needs its place in the layers: add it to .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^src/', pathNot: known },
      to: {},
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan',
      comment: 'A module that imports nothing and that nothing imports is left over.',
      severity: 'error',
      from: { path: '^src/', orphan: true },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'shipped-dependencies',
      comment: 'What src imports must be installed with the package.',
      severity: 'error',
      from: { path: '^(src|bin)/' },
      // #kafka-protocol resolves to the types of the library that it is made from.
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: '(/node_modules/@types/|^node_modules/@platformatic/kafka/)',
      },
    },
    {
      name: 'kafka-protocol',
      comment: 'The whole library takes half a second of CPU to import: take #kafka-protocol, its protocol level.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^node_modules/@platformatic/kafka/', dependencyTypesNot: ['aliased-subpath-import'] },
    },
  ],
  options: {
    // dependency-cruiser finds no TypeScript 7 and would then pass with "0 modules"; swc reads the same sources.
    // scripts/check-layers.ts checks that every file was read.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    // node_modules may be a link to another checkout's, as in the test of a release.
    preserveSymlinks: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
