import { describe, expect, it } from 'vitest';
import { CommandRegistry } from '../../../src/renderer/state/commands.svelte.ts';
import { keyLabels, keysOf } from '../../../src/renderer/state/keys.ts';

const press = (
  key: string,
  mods: Partial<Record<'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey', boolean>> = {},
) => keysOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...mods });

describe('keys', () => {
  it('are named the same for Ctrl and Cmd, upper and lower case', () => {
    expect(press('k', { ctrlKey: true })).toBe('Mod+K');
    expect(press('K', { metaKey: true })).toBe('Mod+K');
    expect(press('j')).toBe('J');
  });
  it('name Shift with letters and keys, not with punctuation it makes', () => {
    expect(press('Z', { ctrlKey: true, shiftKey: true })).toBe('Shift+Mod+Z');
    expect(press('ArrowRight', { shiftKey: true })).toBe('Shift+ArrowRight');
    expect(press('?', { shiftKey: true })).toBe('?');
    expect(press(' ')).toBe('Space');
  });
  it('are shown by their names on the keyboard', () => {
    expect(keyLabels('Shift+Mod+Z', false)).toEqual(['Shift', 'Ctrl', 'Z']);
    expect(keyLabels('Mod+K', true)).toEqual(['⌘', 'K']);
    expect(keyLabels('Escape', false)).toEqual(['Esc']);
    expect(keyLabels('+', false)).toEqual(['+']);
  });
});

describe('the command registry', () => {
  it('asks the page that came last first, and passes over what is not possible now', () => {
    const registry = new CommandRegistry();
    const command = (id: string, enabled: boolean) => ({
      id,
      title: id,
      group: 'g',
      keys: 'T',
      run: () => id,
      enabled: () => enabled,
    });
    registry.add(() => [command('frame', true)]);
    const remove = registry.add(() => [command('page', true)]);
    expect(registry.forKeys('T')?.id).toBe('page');
    remove();
    expect(registry.forKeys('T')?.id).toBe('frame');
    registry.add(() => [command('disabled', false)]);
    expect(registry.forKeys('T')?.id).toBe('frame');
    expect(registry.forKeys('Q')).toBeUndefined();
    expect([registry.owns('T'), registry.owns('Q')]).toEqual([true, false]);
  });
  it('counts open layers', () => {
    const registry = new CommandRegistry();
    const close = registry.pushLayer();
    expect(registry.layers).toBe(1);
    close();
    expect(registry.layers).toBe(0);
  });
});
