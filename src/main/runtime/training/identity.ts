import { createHash } from 'node:crypto';
import { earlierForm } from '../../../shared/domain/index.ts';
import type { TokenBlock } from '../../models/index.ts';
import type { TrainRequest } from '../api.ts';

/** A hash of everything that decides a run: settings, data and starting weights; the same in all versions. */
export function runIdentity(request: TrainRequest, weightsHash: string): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(earlierForm(request.config)));
  for (const block of [request.train, request.validation]) addBlock(hash, block);
  hash.update(weightsHash);
  if (!request.config.eosInLoss) hash.update(`|masked ${request.eosTokenId ?? 'none'}`);
  return hash.digest('hex');
}

function addBlock(hash: ReturnType<typeof createHash>, block: TokenBlock): void {
  hash.update(`|${block.count}x${block.length}|`);
  for (const values of [block.ids, block.lengths]) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
}
