import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RunSpec, type RunResult } from '../../../services/main-job/spec.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import type { ComputeFlags } from '../folder-model.ts';
import { readJsonFile } from '../parse.ts';
import { stepLine, withStudy } from '../study.ts';
import { copyDemo } from '../copy-demo.ts';
import type { Terminal } from '../terminal.ts';

interface RunFlags extends ComputeFlags {
  readonly study?: string;
}

interface DemoFlags extends ComputeFlags {
  readonly out?: string;
  readonly copy?: boolean;
}

export const runCommand: CommandDefinition = (program, run) => {
  program
    .command('run')
    .description('the main job, import to report, as one file describes it')
    .argument('<spec>', 'SPEC.json')
    .option('--study <dir>', 'study folder; default: a folder beside the file, named after the study')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(
      run(async (context: CommandContext, file: string, flags: RunFlags) => {
        const spec = readJsonFile(resolve(file), RunSpec);
        const base = dirname(resolve(file));
        const study = resolve(flags.study ?? join(base, folderName(spec.name)));
        await runHere(context, flags, { spec, base, study, out: study, sample: false });
      }),
    );
};

export const demoCommand: CommandDefinition = (program, run) => {
  program
    .command('demo')
    .description('the whole main job on the bundled synthetic sample')
    .option('--out <dir>', 'where study, figures and report go; default: engram-demo')
    .option('--copy', 'instead: train a model that copies in context, and find its known heads by patching')
    .option('--threads <n>', 'threads; 0 = one per core')
    .option('--provider <name>', 'cpu, cuda, dml or webgpu')
    .action(
      run(async (context: CommandContext, flags: DemoFlags) => {
        const out = flags.out === undefined ? freeFolder(resolve('engram-demo')) : resolve(flags.out);
        if (flags.copy === true) {
          await copyDemo(context, flags, out);
          return;
        }
        const base = join(context.paths.resources, 'sample');
        const spec = readJsonFile(join(base, 'demo.json'), RunSpec);
        await runHere(context, flags, { spec, base, study: join(out, 'study'), out, sample: true });
      }),
    );
};

interface Place {
  readonly spec: RunSpec;
  readonly base: string;
  readonly study: string;
  readonly out: string;
  readonly sample: boolean;
}

/** Steps as people read them, in their order. */
const STEP_WORDS: Readonly<Record<string, string>> = {
  import: 'Importing abstracts',
  curate: 'Curating and freezing the dataset',
  model: 'Preparing the model',
  pairs: 'Reading the prompt pairs',
  'fine-tune': 'Fine-tuning and evaluating',
  sweep: 'Patching every site',
  compare: 'Comparing the sweeps',
  report: 'Drawing figures and writing the report',
};

async function runHere(context: CommandContext, flags: ComputeFlags, place: Place): Promise<void> {
  const { terminal } = context;
  const { spec, base, study, out, sample } = place;
  const create = { name: spec.name, synthetic: sample };
  const { runMainJob } = await import('../../../services/main-job/run.ts');
  const result = await withStudy(context, flags, study, create, ({ client, files, context: services }) => {
    const total = Object.keys(STEP_WORDS).length;
    let index = 0;
    return runMainJob({ spec, base, client, files, context: services, sample }, out, (name) => {
      index += 1;
      stepLine(terminal, index, total, STEP_WORDS[name] ?? name);
    });
  });
  if (terminal.json) terminal.result(result);
  else summarise(terminal, result);
}

function summarise(terminal: Terminal, result: RunResult): void {
  const { records, dataset, training, pairs, sweeps, steps } = result;
  const share = (value: number | null): string => (value === null ? '–' : `${Math.round(100 * value)} %`);
  const loss = (value: number | null): string => value?.toFixed(3) ?? '–';
  const seconds = steps.reduce((sum, step) => sum + step.ms, 0) / 1000;
  const lines = [
    '',
    `Records    ${records.added} added, ${records.duplicates} copies, ${records.rejected} rejected; ${dataset.train} to train on, ${dataset.validation} held out`,
    training === null
      ? 'Training   none'
      : `Training   ${training.steps} steps, ${training.epochs} epochs; validation loss ${loss(training.validation_loss_before)} → ${loss(training.validation_loss_after)}`,
    `Pairs      ${pairs.total}; right answer preferred ${share(pairs.accuracy_before)} → ${share(pairs.accuracy_after)}`,
    ...sweeps.map(
      ({ label, name, sites, strongest }) =>
        `${label.padEnd(10)} ${name}: ${sites} sites; strongest ${strongest}`,
    ),
    `Study      ${result.study}`,
    `Figures    ${result.figures.length} files in ${dirname(result.figures[0] ?? result.report)}`,
    `Report     ${result.report}`,
    `Time       ${seconds.toFixed(0)} s`,
  ];
  for (const line of lines) terminal.say(line);
}

function folderName(name: string): string {
  const safe = name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
  return safe === '' ? 'study' : safe;
}

/** The folder, or a numbered one beside it where it is in use. */
function freeFolder(folder: string): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? folder : `${folder}-${n}`;
    if (!existsSync(candidate) || readdirSync(candidate).length === 0) return candidate;
  }
}
