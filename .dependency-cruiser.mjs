// Imports point one way (docs/architecture.md):
//   cli → features → (kafka, store, metrics) → kpi,   with config, errors and log below everything but kpi.
// Checked by `npm run check -- layers`. Type-only imports count: a type is knowledge of the other's insides too.

const features = [
  'consumer',
  'feed',
  'observe',
  'alerts',
  'monitor',
  'dashboard',
  'embedded',
  'verify',
  'rebuild',
  'operate',
  'export',
]
const services = ['kafka', 'store', 'metrics']
const base = '^src/(errors\\.ts$|log\\.ts$|config/)'
const known = `^src/(errors\\.ts$|log\\.ts$|(${['cli', ...features, ...services, 'config', 'kpi'].join('|')})/)`

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
      name: 'base-stays-below',
      comment: 'Settings, errors and log are used by all, so they may use none of them.',
      severity: 'error',
      from: { path: base },
      to: { path: '^src/', pathNot: base },
    },
    {
      name: 'services-stay-below-features',
      comment: 'Kafka, PostgreSQL and metrics are used by features, not the other way round.',
      severity: 'error',
      from: { path: within(services) },
      to: { path: within([...features, 'cli']) },
    },
    {
      name: 'services-stay-apart',
      comment: 'Kafka knows no PostgreSQL, and the reverse: a feature brings them together.',
      severity: 'error',
      from: { path: '^src/(kafka|store|metrics)/' },
      to: { path: within(services), pathNot: '^src/$1/' },
    },
    {
      name: 'features-stay-apart',
      comment:
        'A feature never imports another: what two need belongs below, what joins two belongs into cli. All may read the one observation.',
      severity: 'error',
      from: { path: `^src/(${features.join('|')})/` },
      to: { path: within(features), pathNot: '^src/($1|observe)/' },
    },
    {
      name: 'cli-on-top',
      comment: 'Commands are wired in cli; nothing below may know them.',
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
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '/node_modules/@types/' },
    },
  ],
  options: {
    // dependency-cruiser finds no TypeScript 7 and would then pass with "0 modules"; swc reads the same sources.
    // scripts/check-layers.ts checks that every file was read.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
