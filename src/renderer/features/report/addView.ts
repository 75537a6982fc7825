import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { ReportSection } from '../../../shared/domain/index.ts';
import { addSection } from './sections.ts';

/** Puts a view into the report, with the sweeps whose warnings belong to it. */
export async function addView(
  client: EngramClient,
  view: NonNullable<ReportSection['view']>,
  title: string,
): Promise<void> {
  const among = 'refs' in view ? view.refs.flatMap((ref) => (ref.kind === 'sweep' ? [ref.id] : [])) : [];
  const own = 'refs' in view || view.kind === 'external' || view.id === null ? [] : [view.id];
  await addSection(client, { kind: 'view', title, text: '', sweepIds: [...own, ...among], view });
}
