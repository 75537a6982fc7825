import { listSupportedBackends } from './ort.ts';

/** Execution providers in the order in which a settings page offers them. */
const PROVIDERS = {
  cpu: 'Always available.',
  cuda: 'NVIDIA GPUs on Linux; its libraries are fetched once (see the README).',
  dml: 'DirectX 12 GPUs on Windows.',
  webgpu: 'GPUs through WebGPU.',
} as const;

export type ProviderName = keyof typeof PROVIDERS;
const NAMES = Object.keys(PROVIDERS) as ProviderName[]; // its own keys

/** Every provider, and whether this installation of ONNX Runtime lists it with its libraries in place. */
export function listProviders(): { name: ProviderName; available: boolean; note: string }[] {
  const bundled = new Set(
    listSupportedBackends()
      .filter((b) => b.bundled)
      .map((b) => b.name),
  );
  return NAMES.map((name) => ({ name, available: bundled.has(name), note: PROVIDERS[name] }));
}
