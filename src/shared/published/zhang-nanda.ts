/**
 * Heads that Zhang & Nanda 2024 (arXiv 2309.16042, appendices D to F) list as detected (at least 2 SD from the mean
 * effect) in GPT-2 small, by task, corruption and metric: `layer.head`, counted from 0.
 */
export const ZHANG_NANDA_SOURCE = 'Zhang & Nanda 2024, arXiv 2309.16042, appendices D to F; GPT-2 small';

interface PublishedHeads {
  readonly corruption: 'str' | 'gn';
  readonly metric: 'logit_diff' | 'prob' | 'kl';
  readonly positive: readonly string[];
  readonly negative: readonly string[];
}

export const PUBLISHED_TASKS = ['ioi-s2', 'ioi-s1-io', 'greater-than'] as const;
export type PublishedTask = (typeof PUBLISHED_TASKS)[number];

const heads = (text: string): string[] => text.split(' ').filter((head) => head !== '');
const row = (
  corruption: PublishedHeads['corruption'],
  metric: PublishedHeads['metric'],
  positive: string,
  negative: string,
): PublishedHeads => ({ corruption, metric, positive: heads(positive), negative: heads(negative) });

export const ZHANG_NANDA: Readonly<Record<PublishedTask, readonly PublishedHeads[]>> = {
  'ioi-s2': [
    row('str', 'logit_diff', '5.5 7.9 8.6 8.10 9.9', '10.7 11.10'),
    row('str', 'prob', '5.5 7.9 8.6 8.10 9.9', '10.7'),
    row('str', 'kl', '5.5 7.9 8.6 8.10 9.9', '10.7 11.10'),
    row('gn', 'logit_diff', '3.0 5.5 7.9 8.6 8.10 9.9', '10.7 11.10'),
    row('gn', 'prob', '3.0 5.5 7.9 8.6', '0.10 10.7 11.10'),
    row('gn', 'kl', '5.5 7.9 8.6', '0.10 10.7 11.10'),
  ],
  'ioi-s1-io': [
    row('str', 'logit_diff', '9.6 9.9 10.0', '10.7 11.10'),
    row('str', 'prob', '9.9', ''),
    row('str', 'kl', '9.6 9.9 10.0', '10.7 11.10'),
    row('gn', 'logit_diff', '9.6 9.9 10.0', '10.7 11.10'),
    row('gn', 'prob', '9.6 9.9 10.0', ''),
    row('gn', 'kl', '9.6 9.9 10.0', '10.7 11.10'),
  ],
  'greater-than': [
    row('str', 'logit_diff', '6.9 7.10 8.11 9.1 10.4', ''),
    row('str', 'prob', '7.10 8.11 9.1', ''),
    row('str', 'kl', '6.9 7.10 8.11 9.1', '10.7'),
    row('gn', 'logit_diff', '0.9 7.10 8.10 9.1 10.4', '6.1 8.6 9.5'),
    row('gn', 'prob', '5.5 6.1 6.9 7.10 7.11 8.8 9.1', ''),
    row('gn', 'kl', '5.5 6.1 6.9 7.10 7.11 8.8 9.1', '5.9 7.6'),
  ],
};
