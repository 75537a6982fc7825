import type { CommandRegistry } from './commands.svelte.ts';

const NAMES: Readonly<Record<string, string>> = { ' ': 'Space', Esc: 'Escape' };

export interface KeyLike {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** A key event in the notation of commands: `Mod+K`, `Shift+Mod+Z`, `?`, `J`. */
export function keysOf(event: KeyLike): string {
  const key = NAMES[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  const mod = event.ctrlKey || event.metaKey;
  // Shift is part of a punctuation character already (`?`), so it is named with letters and keys only.
  const shift = event.shiftKey && (key.length > 1 || /[A-Z0-9]/.test(key));
  return [shift ? 'Shift' : '', event.altKey ? 'Alt' : '', mod ? 'Mod' : '', key]
    .filter((part) => part !== '')
    .join('+');
}

/** Whether typing is what the key is for: then single keys are left alone. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.tagName === 'TEXTAREA' || target.tagName === 'SELECT') return true;
  return (
    target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type)
  );
}

/** One key of the notation as shown in a key hint. */
export function keyLabels(keys: string, mac: boolean): string[] {
  const names: Readonly<Record<string, string>> = {
    Mod: mac ? '⌘' : 'Ctrl',
    Alt: mac ? '⌥' : 'Alt',
    Escape: 'Esc',
    ArrowUp: '↑',
    ArrowDown: '↓',
    ArrowLeft: '←',
    ArrowRight: '→',
  };
  return keys.split(/\+(?=.)/).map((part) => names[part] ?? part);
}

export function isMac(page: Window = window): boolean {
  return page.navigator.userAgent.includes('Mac');
}

/** Listens on the window and runs the command that owns the key. */
export function listenForKeys(
  registry: CommandRegistry,
  singleKeys: () => boolean,
  page: Window,
): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const keys = keysOf(event);
    const single = !keys.includes('Mod+');
    if (single && (isTyping(event.target) || registry.layers > 0)) return;
    if (single && /^[A-Z0-9]$/.test(keys) && !singleKeys()) return;
    const command = registry.forKeys(keys);
    if (command === undefined) return;
    event.preventDefault();
    command.run();
  };
  // Ahead of a focused button, which would take Ctrl+Enter for a press, even while the command has to wait.
  const onModified = (event: KeyboardEvent) => {
    const keys = keysOf(event);
    if (!keys.includes('Mod+') || isTyping(event.target) || !registry.owns(keys)) return;
    event.preventDefault();
    event.stopPropagation();
    registry.forKeys(keys)?.run();
  };
  page.addEventListener('keydown', onModified, { capture: true });
  page.addEventListener('keydown', onKey);
  return () => {
    page.removeEventListener('keydown', onModified, { capture: true });
    page.removeEventListener('keydown', onKey);
  };
}
