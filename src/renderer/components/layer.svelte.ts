import { useWorkbench } from '../state/workbench.svelte.ts';

/** While `open` holds, single keys of the page rest (Esc then closes this layer only). */
export function useLayer(open: () => boolean): void {
  const { commands } = useWorkbench();
  $effect(() => (open() ? commands.pushLayer() : undefined));
}
