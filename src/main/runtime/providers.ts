import * as ort from 'onnxruntime-node';

/** Execution providers in the order in which a settings page offers them. */
const PROVIDERS = {
  cpu: { note: 'Always available.' },
  cuda: {
    note: 'NVIDIA GPUs on Linux; its libraries are fetched once (see the README).',
  },
  dml: { note: 'DirectX 12 GPUs on Windows.' },
  webgpu: { note: 'GPUs through WebGPU.' },
} as const;

export type ProviderName = keyof typeof PROVIDERS;
export const PROVIDER_NAMES: readonly ProviderName[] = Object.keys(PROVIDERS) as ProviderName[]; // its own keys

/** Every provider, and whether this installation of ONNX Runtime lists it with its libraries in place. */
export function listProviders(): { name: ProviderName; available: boolean; note: string }[] {
  const bundled = new Set(
    ort
      .listSupportedBackends()
      .filter((b) => b.bundled)
      .map((b) => b.name),
  );
  return PROVIDER_NAMES.map((name) => ({ name, available: bundled.has(name), note: PROVIDERS[name].note }));
}
