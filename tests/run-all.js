// Every check of the project, in the order in which a failure is cheapest to find. Ends with one line
// `N passed, N failed`: static checks count as one each, tests one by one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const results = mkdtempSync(join(tmpdir(), 'engram-tests-'));
let passed = 0;
let failed = 0;
let skipped = 0;

function run(name, args) {
  const started = Date.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync('npm', ['run', '--silent', ...args], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  console.log(
    `== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${Math.round((Date.now() - started) / 1000)} s`,
  );
  return status === 0;
}

function check(name, script) {
  if (run(name, [script])) passed++;
  else failed++;
}

function tests(name, script) {
  const file = join(results, `${script}.json`);
  const ok = run(name, [script, '--', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  try {
    const summary = JSON.parse(readFileSync(file, 'utf8'));
    passed += summary.numPassedTests;
    failed += summary.numFailedTests;
    skipped += summary.numPendingTests + (summary.numTodoTests ?? 0);
    if (!ok && summary.numFailedTests === 0) failed++;
  } catch {
    failed++;
  }
}

check('types', 'types');
check('lint', 'lint');
check('dependency rule and unused code', 'deps');
tests('unit and integration tests', 'unit');
tests('end-to-end tests', 'e2e');

rmSync(results, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
