import { t } from '../i18n/index.ts';
import type { Command } from '../state/commands.svelte.ts';
import type { Workbench } from '../state/workbench.svelte.ts';
import { PAGES } from './pages.ts';

interface Layers {
  readonly palette: () => void;
  readonly jobs: () => void;
}

/** What can be done on every page. */
export function frameCommands(workbench: Workbench, layers: Layers): Command[] {
  const { session, router, preferences } = workbench;
  const { studyGroup, view, pageGroup } = t.frame;
  return [
    { id: 'palette', title: t.frame.palette, group: view, keys: 'Mod+K', run: layers.palette, quiet: true },
    { id: 'jobs', title: t.frame.jobsOpen, group: view, keys: 'Mod+J', run: layers.jobs },
    {
      id: 'undo',
      title: t.frame.undo(session.history.undo),
      group: studyGroup,
      keys: 'Mod+Z',
      enabled: () => session.history.undo !== null,
      run: () => session.undo(),
    },
    {
      id: 'redo',
      title: t.frame.redo(session.history.redo),
      group: studyGroup,
      keys: 'Shift+Mod+Z',
      enabled: () => session.history.redo !== null,
      run: () => session.redo(),
    },
    ...PAGES.map((page) => ({
      id: `page.${page.id}`,
      title: page.id === 'help' ? t.frame.help : t.frame.goTo(t.frame.pages[page.id]),
      group: pageGroup,
      ...(page.id === 'help' ? { keys: '?' } : page.digit === undefined ? {} : { keys: `Mod+${page.digit}` }),
      run: () => router.go(page.id),
    })),
    {
      id: 'theme',
      title: t.frame.toggleTheme,
      group: view,
      words: 'dark light appearance',
      run: () => preferences.set({ theme: preferences.theme === 'dark' ? 'light' : 'dark' }),
    },
  ];
}
