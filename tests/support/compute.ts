import type { ComputeApi } from '../../src/main/runtime/api.ts';

/** For tests in which nothing is computed: any call is an error of the test. */
export function noCompute(): ComputeApi {
  const refuse = (): never => {
    throw new Error('this test computes nothing');
  };
  return {
    info: refuse,
    selfCheck: refuse,
    load: refuse,
    logits: refuse,
    generate: refuse,
    evaluate: refuse,
    planPatch: refuse,
    patch: refuse,
    planAttribute: refuse,
    attribute: refuse,
    lens: refuse,
    dla: refuse,
    attention: refuse,
    attentionOutcome: refuse,
    train: refuse,
    release: refuse,
  };
}
