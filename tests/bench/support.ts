import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createModel } from '../../src/main/models/index.ts';

export const THREADS = 2;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** A GPT-2 124M shape with random weights and GPT-2's tokenizer, made once per machine. */
export async function gpt2Shape(): Promise<string> {
  const tokenizer = join(import.meta.dirname, '../../../shared/models/gpt2-tokenizer');
  const folder = join(tmpdir(), 'engram-bench', 'gpt2-124m');
  if (!existsSync(join(folder, 'model.safetensors'))) {
    await mkdir(folder, { recursive: true });
    await createModel({ nLayer: 12, nHead: 12, dModel: 768, nCtx: 1024, seed: 1 }, folder, tokenizer);
  }
  return folder;
}

/** Token ids that look random and are the same everywhere. */
export function idsFrom(seed: number): () => number {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    return s % 50_000;
  };
}

/** A Python program that answers one JSON line with one JSON line, with the same number of threads. */
export class Peer {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcess) {
    this.#process = process;
    if (process.stdout === null) throw new Error('the peer has no output');
    this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  }

  /** Null, with the reason printed, where there is no interpreter for it. */
  static async start(script: string, args: readonly string[]): Promise<Peer | null> {
    const python = process.env['ENGRAM_PEER_PYTHON'];
    if (python === undefined) {
      console.log('  (no peer: ENGRAM_PEER_PYTHON is not set; only our own figures follow)');
      return null;
    }
    const env = { ...process.env, OMP_NUM_THREADS: String(THREADS), MKL_NUM_THREADS: String(THREADS) };
    const child = spawn(python, [join(import.meta.dirname, 'peers', script), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env,
    });
    const peer = new Peer(child);
    await peer.#next();
    return peer;
  }

  async #next(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the peer ended');
    return JSON.parse(line.value);
  }

  async ask(request: object): Promise<{ ms: number; values: number[]; rss_mb: number }> {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    // The peers of this folder answer in this form.
    return (await this.#next()) as { ms: number; values: number[]; rss_mb: number };
  }

  stop(): void {
    this.#process.kill();
  }
}
