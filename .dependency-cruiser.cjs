/**
 * shared <- engine <- models <- runtime <- store, importers, exporters <- jobs <- services <- ipc <- hosts;
 * the renderer and the preload script see only shared. tests/architecture plants a violation of each rule
 * and checks that it is caught.
 */
const MAIN = '^src/main';
const layer = (name, mayUse) => ({
  name: `${name}-uses-only-what-lies-below`,
  severity: 'error',
  from: { path: `${MAIN}/${name}/` },
  to: { path: '^src/', pathNot: [`${MAIN}/${name}/`, '^src/shared/', ...mayUse.map((m) => `${MAIN}/${m}/`)] },
});
const onlyIn = (name, packages, places) => ({
  name,
  severity: 'error',
  from: { path: '^src/', pathNot: places },
  to: { path: packages.map((p) => `node_modules/${p}(/|$)|^${p}$`), dependencyTypesNot: ['type-only'] },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: ['\\.d\\.ts$'] },
      to: {},
    },
    { name: 'not-to-tests', severity: 'error', from: { path: '^src/' }, to: { path: '^(tests|scripts)/' } },
    {
      name: 'shared-stands-alone',
      severity: 'error',
      from: { path: '^src/shared/' },
      to: { path: '^src/', pathNot: '^src/shared/' },
    },
    {
      name: 'shared-and-engine-know-no-platform',
      severity: 'error',
      from: { path: '^src/(shared|main/engine)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'engine-has-no-packages',
      severity: 'error',
      from: { path: `${MAIN}/engine/` },
      to: { path: 'node_modules/', pathNot: 'node_modules/zod/' },
    },
    layer('engine', []),
    layer('models', ['engine']),
    layer('runtime', ['engine', 'models']),
    layer('importers', ['engine']),
    layer('store', ['engine', 'models', 'importers']),
    layer('exporters', ['engine', 'models']),
    layer('jobs', ['engine', 'models', 'runtime', 'store', 'importers', 'exporters']),
    layer('services', ['engine', 'models', 'runtime', 'store', 'importers', 'exporters', 'jobs']),
    layer('ipc', ['services']),
    {
      name: 'renderer-sees-only-shared',
      severity: 'error',
      from: { path: '^src/renderer/' },
      to: { path: '^src/', pathNot: '^src/(shared|renderer)/' },
    },
    {
      name: 'renderer-knows-no-node',
      severity: 'error',
      from: { path: '^src/(renderer|preload)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'preload-sees-only-shared',
      severity: 'error',
      from: { path: '^src/preload/' },
      to: { path: '^src/', pathNot: '^src/(shared|preload)/' },
    },
    {
      name: 'nothing-uses-hosts',
      severity: 'error',
      from: { path: '^src/', pathNot: `${MAIN}/hosts/` },
      to: { path: `${MAIN}/hosts/` },
    },
    onlyIn('onnxruntime-only-in-runtime', ['onnxruntime-node'], [`${MAIN}/runtime/`]),
    onlyIn('sqlite-only-in-store', ['better-sqlite3'], [`${MAIN}/store/`]),
    onlyIn(
      'electron-only-in-shell',
      ['electron'],
      [`${MAIN}/shell/`, `${MAIN}/hosts/electron`, '^src/preload/'],
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: `${__dirname}/tsconfig.base.json` },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.svelte', '.json'],
      conditionNames: ['import', 'node', 'default', 'svelte'],
    },
  },
};
