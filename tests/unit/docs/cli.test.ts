import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/main/hosts/cli/commands/index.ts';
import { FORMATS } from '../../../src/main/hosts/cli/formats.ts';
import { RunSpec } from '../../../src/main/services/main-job/spec.ts';

const text = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

/** Every command with its full name, parents included. */
function commandsOf(command: Command, prefix: string): { name: string; command: Command }[] {
  return command.commands.flatMap((child) => {
    const name = `${prefix} ${child.name()}`;
    return child.commands.length > 0 ? commandsOf(child, name) : [{ name, command: child }];
  });
}

const program = new Command('engram');
for (const define of COMMANDS) define(program, () => () => Promise.resolve());
const commands = commandsOf(program, 'engram');

/** The text of one command's section. */
function sectionOf(name: string): string | undefined {
  return text
    .split(/^## /m)
    .find((section) => section === name || new RegExp(`^${name}( |\\n)`).test(section));
}

describe('docs/cli.md', () => {
  it.each(commands)('describes $name and each of its options', ({ name, command }) => {
    const section = sectionOf(name);
    expect(section, `a section "## ${name}"`).toBeDefined();
    const common = ['--threads', '--provider'];
    for (const option of command.options) {
      const flag = option.long ?? option.short ?? '';
      expect(common.includes(flag) ? text : section).toContain(flag);
    }
  });

  it('describes nothing that is not there', () => {
    const described = [...text.matchAll(/^## (engram[a-z ]*[a-z])/gm)].map((match) => match[1]);
    expect(described).toEqual(commands.map(({ name }) => name));
  });

  it('names every format', () => {
    for (const format of Object.keys(FORMATS)) expect(text).toContain(`\`${format}\``);
  });

  it('shows a specification that is valid', () => {
    const json = /```json\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(RunSpec.parse(JSON.parse(json)).train?.preset).toBe('II');
  });
});
