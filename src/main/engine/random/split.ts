import { UserInputError } from '../../../shared/errors/index.ts';
import { Mt19937 } from './mt19937.ts';

/** Indices into the list that was split, in the order of the permutation. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * scikit-learn's `train_test_split(range(n), test_size=testFraction, random_state=seed)`, index for index:
 * the test part is the first ⌈testFraction · n⌉ of `RandomState(seed).permutation(n)`, the train part the rest.
 * Throws UserInputError `SPLIT_TOO_SMALL` where one of the parts would be empty.
 */
export function trainTestSplit(n: number, testFraction = 0.2, seed = 42): Split {
  const tests = Math.ceil(testFraction * n);
  if (tests < 1 || tests >= n) {
    throw new UserInputError(
      'SPLIT_TOO_SMALL',
      `${n} text${n === 1 ? '' : 's'} cannot be split with a held-out share of ${testFraction}.`,
      'Include more records: at least one must remain on each side.',
    );
  }
  const order = new Mt19937(seed).permutation(n);
  return { test: order.slice(0, tests), train: order.slice(tests) };
}
