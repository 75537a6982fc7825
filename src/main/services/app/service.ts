import { existsSync, readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { Settings } from '../../../shared/domain/index.ts';
import type { ServiceContext } from '../context.ts';
import type { SettingsFile } from './settings.ts';

export interface AppDescription {
  readonly version: string;
  readonly host: 'electron' | 'browser';
}

/** Told when settings were saved. */
export type OnSettings = (before: Settings, after: Settings) => void;

const Licence = z.object({ name: z.string(), version: z.string(), licence: z.string() });

/** Implements `app`: what runs here, the self-check, settings, licences. */
export function createAppService(
  { compute, emit, resources }: ServiceContext,
  settings: SettingsFile,
  { version, host }: AppDescription,
  onSettings: OnSettings,
): ServiceHandlers<typeof contract.app> {
  return {
    info: async () => {
      const info = await compute.info();
      return {
        version,
        host,
        engine: info.engine,
        provider: info.provider,
        providers: [...info.providers],
        threads: info.threads,
        memoryBytes: totalmem(),
        usedBytes: totalmem() - freemem(),
        notice: info.notice,
        node: process.versions.node,
      };
    },
    selfCheck: () => compute.selfCheck(),
    getSettings: () => settings.get(),
    setSettings: (next) => {
      const before = settings.get();
      const saved = settings.set(next);
      onSettings(before, saved);
      emit('changed', { what: 'settings' });
      return saved;
    },
    licences: () => {
      const file = join(resources, 'licences.json');
      return existsSync(file) ? z.array(Licence).parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
    },
  };
}
