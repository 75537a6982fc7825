// node scripts/kill-imports.ts [KILLS] [SEED]: imports killed at random moments, 50 by default.
import { killImports } from '../tests/support/kill-import.ts';

const [kills = '50', seed = '1'] = process.argv.slice(2);
console.log(JSON.stringify(await killImports(Number(kills), Number(seed))));
