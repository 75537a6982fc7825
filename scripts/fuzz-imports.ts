// node --expose-gc scripts/fuzz-imports.ts [COUNT] [SEED]: mutated inputs over all importers, 20,000 by default.
import { fuzzImports } from '../tests/support/fuzz-import.ts';

const [count = '20000', seed = '1'] = process.argv.slice(2);
const result = await fuzzImports(Number(count), Number(seed), (done) => console.log(`${done} inputs`));
console.log(JSON.stringify(result, null, 2));
