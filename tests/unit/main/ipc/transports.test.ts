import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { attachMessagePort, EventBus, type Router } from '../../../../src/main/ipc/index.ts';
import { SweepId } from '../../../../src/shared/domain/index.ts';

class Port extends EventEmitter {
  readonly sent: unknown[] = [];
  started = false;
  postMessage(message: unknown): void {
    this.sent.push(message);
  }
  start(): void {
    this.started = true;
  }
}

const echo: Router = {
  call: (_service, _method, input) => Promise.resolve(input),
  handle: (message) =>
    Promise.resolve(message === 'noise' ? null : { id: 1, ok: true as const, output: message }),
};

describe('event bus and port', () => {
  const progress = { sweepId: SweepId.parse(3), done: 1, total: 4 };

  it('sends answers and events, ignores noise, and stops after close', async () => {
    const bus = new EventBus();
    const port = new Port();
    attachMessagePort(port, echo, bus);
    expect(port.started).toBe(true);
    port.emit('message', { data: 'hello' });
    port.emit('message', { data: 'noise' });
    await new Promise((resolve) => setImmediate(resolve));
    bus.emit('sweepProgress', progress);
    expect(port.sent).toEqual([
      { id: 1, ok: true, output: 'hello' },
      { event: 'sweepProgress', payload: progress },
    ]);
    port.emit('close');
    bus.emit('sweepProgress', progress);
    expect(port.sent).toHaveLength(2);
  });

  it('refuses a payload that breaks its schema', () => {
    const bus = new EventBus();
    expect(() => {
      bus.emit('sweepProgress', { ...progress, done: 0.5 });
    }).toThrow(/sweepProgress breaks its schema/);
  });
});
