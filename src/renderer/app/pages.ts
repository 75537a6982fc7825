import type { Component } from 'svelte';
import type { EngramClient } from '../../shared/contracts/index.ts';
import type { IconName } from '../components/icons.ts';

type Counts = NonNullable<Awaited<ReturnType<EngramClient['studies']['current']>>['counts']>;

export type PageId =
  'home' | 'library' | 'curate' | 'models' | 'pairs' | 'sweeps' | 'compare' | 'report' | 'settings' | 'help';

export interface PageEntry {
  readonly id: PageId;
  readonly icon: IconName;
  /** Digit of its shortcut with Ctrl/Cmd. */
  readonly digit?: number;
  /** What the rail counts beside the name. */
  readonly count?: keyof Counts;
  /** Shows the study's content, so one must be open. */
  readonly needsStudy: boolean;
  /** Group in the rail: lines are drawn between groups; `none` keeps it out of the rail. */
  readonly group: 'start' | 'work' | 'end' | 'none';
}

/** Every page in the order of the rail. */
export const PAGES: readonly PageEntry[] = [
  { id: 'home', icon: 'home', needsStudy: false, group: 'start' },
  { id: 'library', icon: 'library', digit: 1, count: 'records', needsStudy: true, group: 'work' },
  { id: 'curate', icon: 'curate', digit: 2, count: 'undecided', needsStudy: true, group: 'work' },
  { id: 'models', icon: 'models', digit: 3, count: 'models', needsStudy: true, group: 'work' },
  { id: 'pairs', icon: 'pairs', digit: 4, count: 'pairs', needsStudy: true, group: 'work' },
  { id: 'sweeps', icon: 'sweeps', digit: 5, count: 'sweeps', needsStudy: true, group: 'work' },
  { id: 'compare', icon: 'compare', digit: 6, count: 'comparisons', needsStudy: true, group: 'work' },
  { id: 'report', icon: 'report', digit: 7, needsStudy: true, group: 'work' },
  { id: 'settings', icon: 'settings', digit: 8, needsStudy: false, group: 'end' },
  { id: 'help', icon: 'help', needsStudy: false, group: 'none' },
];

export type PageModule = { default: Component };

// Each feature folder holds one `…Page.svelte`, loaded when it is first shown.
const MODULES = import.meta.glob<PageModule>('../features/*/*Page.svelte');

const loads = new Map<PageId, Promise<PageModule>>();

/**
 * Loads the component of a page; undefined where the feature has none. Asked again it gives the same promise,
 * so that a page that is shown is never drawn anew and loses what is being typed; one that failed is tried again.
 */
export function loadPage(id: PageId): Promise<PageModule> | undefined {
  const path = Object.keys(MODULES).find((key) => key.startsWith(`../features/${id}/`));
  const load = path === undefined ? undefined : MODULES[path];
  if (load === undefined) return undefined;
  const known = loads.get(id);
  if (known !== undefined) return known;
  const loading = load();
  loads.set(id, loading);
  loading.catch(() => loads.delete(id));
  return loading;
}
