import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createClient } from '../../../src/renderer/client/client.ts';
import type { Transport } from '../../../src/renderer/client/transport.ts';
import { ReportEditor } from '../../../src/renderer/features/report/report.svelte.ts';
import { ErrorStore } from '../../../src/renderer/state/errors.svelte.ts';
import { Report } from '../../../src/shared/domain/index.ts';
import { StoreError } from '../../../src/shared/errors/index.ts';

/** A transport that keeps what is saved, or fails when the test says so. */
class Wire implements Transport {
  readonly saved: string[] = [];
  failure: Error | null = null;
  request(_service: string, _method: string, input: unknown): Promise<unknown> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.saved.push(Report.parse(input).title);
    return Promise.resolve(input);
  }
  onEvent = () => () => undefined;
  onState = () => () => undefined;
  close = () => undefined;
}

const report = (title: string): Report => ({ title, author: '', sections: [] });
function open() {
  const wire = new Wire();
  const errors = new ErrorStore();
  return { wire, errors, editor: new ReportEditor(createClient(wire), errors) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('writes what is typed once, a moment after the last key', async () => {
  const { wire, editor } = open();
  editor.take(report('A'));
  for (const title of ['Ab', 'Abs', 'Abst']) editor.type(report(title));
  expect([editor.report?.title, wire.saved]).toEqual(['Abst', []]);
  await vi.runAllTimersAsync();
  expect(wire.saved).toEqual(['Abst']);
});

it('does not let an older stored version overwrite what is being typed', async () => {
  const { editor } = open();
  editor.take(report('A'));
  editor.type(report('Ab'));
  editor.take(report('A'));
  expect(editor.report?.title).toBe('Ab');
  await editor.flush();
  editor.take(report('undone'));
  expect(editor.report?.title).toBe('undone');
});

it('writes typing before another kind of change, each as a step of its own', async () => {
  const { wire, editor } = open();
  editor.take(report('A'));
  editor.type(report('Ab'));
  await editor.change(report('moved'));
  expect(wire.saved).toEqual(['Ab', 'moved']);
  await vi.runAllTimersAsync();
  expect(wire.saved).toEqual(['Ab', 'moved']);
});

it('shows a failed write, keeps what was written, and writes it later', async () => {
  const { wire, errors, editor } = open();
  editor.take(report('A'));
  wire.failure = new StoreError('DISK_FULL', 'The disk is full.', 'Make room.');
  await editor.change(report('B'));
  expect(errors.notices.map((notice) => notice.error.code)).toEqual(['DISK_FULL']);
  expect(editor.saving).toBe(false);
  editor.take(report('A'));
  expect(editor.report?.title).toBe('B');
  wire.failure = null;
  await editor.flush();
  expect(wire.saved).toEqual(['B']);
});
