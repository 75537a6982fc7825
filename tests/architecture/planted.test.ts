import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ESLint } from 'eslint';
import { beforeAll, describe, expect, it } from 'vitest';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const planted = join(here, 'planted');
const require = createRequire(import.meta.url);
const run = promisify(execFile);

/** File → the rule of .dependency-cruiser.cjs that must catch it. */
const DEPENDENCIES: Record<string, string> = {
  'src/shared/uses-main.ts': 'shared-stands-alone',
  'src/shared/uses-node.ts': 'shared-and-engine-know-no-platform',
  'src/main/engine/uses-runtime.ts': 'engine-uses-only-what-lies-below',
  'src/main/engine/uses-package.ts': 'engine-has-no-packages',
  'src/main/store/uses-ort.ts': 'onnxruntime-only-in-runtime',
  'src/main/services/uses-sqlite.ts': 'sqlite-only-in-store',
  'src/main/services/uses-electron.ts': 'electron-only-in-shell',
  'src/main/services/uses-host.ts': 'nothing-uses-hosts',
  'src/main/services/cycle-a.ts': 'no-cycles',
  'src/renderer/uses-main.ts': 'renderer-sees-only-shared',
  'src/renderer/uses-node.ts': 'renderer-knows-no-node',
  'src/preload/uses-main.ts': 'preload-sees-only-shared',
};

interface Cruise {
  summary: { violations: { from: string; rule: { name: string } }[] };
}

describe('planted violations of the dependency rule', () => {
  let violations: { from: string; rule: string }[] = [];

  beforeAll(async () => {
    const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    const args = [bin, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src'];
    const { stdout } = await run(process.execPath, args, { cwd: planted, maxBuffer: 2 ** 26 }).catch(
      // The exit code counts the violations; the report is on stdout all the same.
      (error: unknown) => error as { stdout: string },
    );
    const cruise = JSON.parse(stdout) as Cruise;
    violations = cruise.summary.violations.map((v) => ({ from: v.from, rule: v.rule.name }));
  });

  it.each(Object.entries(DEPENDENCIES))('%s is caught by %s', (file, rule) => {
    expect(violations).toContainEqual({ from: file, rule });
  });

  it('says nothing of the files that keep the rule', () => {
    const fine = ['src/main/engine/fine.ts', 'src/main/runtime/session.ts', 'src/main/hosts/headless.ts'];
    expect(violations.filter((v) => fine.includes(v.from) && v.rule !== 'no-orphans')).toEqual([]);
  });
});

describe('planted violations of the environments', () => {
  it('the engine does not compile with a platform’s globals', async () => {
    const tsc = require.resolve('typescript/bin/tsc');
    const result = await run(process.execPath, [tsc, '-p', join(planted, 'tsconfig.engine.json')]).then(
      () => 'compiled',
      (error: unknown) => (error as { stdout: string }).stdout,
    );
    expect(result).toContain("Cannot find name 'process'");
  });
});

describe('planted violations of the lint rules', () => {
  it.each([
    ['any.ts', '@typescript-eslint/no-explicit-any'],
    ['Html.svelte', 'svelte/no-at-html-tags'],
  ])('%s is caught by %s', async (file, rule) => {
    const eslint = new ESLint({
      cwd: root,
      ignore: false,
      overrideConfig: {
        languageOptions: { parserOptions: { project: null } },
        rules: Object.fromEntries(await typedRulesOff(join(root, 'tests/architecture/planted.test.ts'))),
      },
    });
    const [result] = await eslint.lintFiles([join(planted, 'lint', file)]);
    expect(result?.messages.map((m) => m.ruleId)).toContain(rule);
  });
});

/** The planted files belong to no program, so the rules that need types are switched off for them. */
async function typedRulesOff(sample: string): Promise<[string, 'off'][]> {
  const { plugin } = (await import('typescript-eslint')).default;
  const config = (await new ESLint({ cwd: root }).calculateConfigForFile(sample)) as {
    rules: Record<string, unknown>;
  };
  return Object.keys(config.rules)
    .filter((name) => name.startsWith('@typescript-eslint/'))
    .filter((name) => {
      const rule = (
        plugin as { rules?: Record<string, { meta?: { docs?: { requiresTypeChecking?: boolean } } }> }
      ).rules?.[name.replace('@typescript-eslint/', '')];
      return rule?.meta?.docs?.requiresTypeChecking === true;
    })
    .map((name) => [name, 'off']);
}
