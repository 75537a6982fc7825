import { DEFAULT_EXCLUSION_REASONS } from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';
import { useCommands } from '../../state/workbench.svelte.ts';
import type { CurateList } from './curate.svelte.ts';

/** The reasons offered, numbered from 1; the number after the last is "other". */
export const REASONS: readonly string[] = DEFAULT_EXCLUSION_REASONS;

export interface CurateKeys {
  /** Whether a reason for excluding is being asked for. */
  readonly asking: boolean;
  /** Whether the reason is being typed. */
  readonly typing: boolean;
  readonly askReason: () => void;
  readonly leave: () => void;
  /** Excludes for the reason with this number, or starts typing one. */
  readonly choose: (number: number) => void;
  readonly exclude: (reason: string) => void;
}

/** One key for each decision: I, E and a number, M; X checks, J and K move. */
export function useCurateKeys(list: CurateList, focusSearch: () => void): CurateKeys {
  let asking = $state<'no' | 'list' | 'text'>('no');
  const leave = () => (asking = 'no');

  const keys: CurateKeys = {
    get asking() {
      return asking !== 'no';
    },
    get typing() {
      return asking === 'text';
    },
    askReason: () => (asking = 'list'),
    leave,
    choose(number) {
      const reason = REASONS[number - 1];
      if (reason === undefined) asking = 'text';
      else keys.exclude(reason);
    },
    exclude(reason) {
      leave();
      void list.decide('exclude', reason);
    },
  };

  const decide = (decision: 'include' | 'maybe' | 'undecided') => () => {
    leave();
    void list.decide(decision, null);
  };
  const move = (step: number) => () => {
    leave();
    list.go(list.index + step);
  };
  const group = t.curate.keyGroup;
  useCommands(() => [
    { id: 'curate.include', title: t.curate.include, group, keys: 'I', run: decide('include') },
    { id: 'curate.exclude', title: t.curate.exclude, group, keys: 'E', run: keys.askReason },
    { id: 'curate.maybe', title: t.curate.maybe, group, keys: 'M', run: decide('maybe') },
    { id: 'curate.undecide', title: t.curate.undecide, group, keys: 'U', run: decide('undecided') },
    {
      id: 'curate.check',
      title: t.curate.keyCheck,
      group,
      keys: 'X',
      quiet: true,
      run: () => (list.open === null ? undefined : list.toggle(list.open)),
    },
    { id: 'curate.next', title: t.curate.next, group, keys: 'J', quiet: true, run: move(1) },
    { id: 'curate.previous', title: t.curate.previous, group, keys: 'K', quiet: true, run: move(-1) },
    { id: 'curate.search', title: t.curate.keySearch, group, keys: '/', run: focusSearch },
    {
      id: 'curate.back',
      title: t.curate.keyBack,
      group,
      keys: 'Escape',
      quiet: true,
      enabled: () => asking !== 'no' || list.checked.size > 0,
      run: () => (asking === 'no' ? list.checkAll(false) : leave()),
    },
    ...[...REASONS, t.curate.other].map((_, index) => ({
      id: `curate.reason.${index + 1}`,
      title: t.curate.keyReason(index + 1),
      group,
      keys: String(index + 1),
      quiet: true,
      enabled: () => asking === 'list',
      run: () => keys.choose(index + 1),
    })),
  ]);
  return keys;
}
