import { existsSync, readFileSync, rmSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/** The system's keychain, as Electron's `safeStorage` gives it. */
export interface Keychain {
  /** False where the system has none, or one that encrypts with a key everybody knows. */
  available(): Promise<boolean>;
  encrypt(text: string): Promise<Uint8Array>;
  decrypt(bytes: Uint8Array): Promise<string>;
}

/** Secrets encrypted with the keychain, in a file of the user's data. Nothing is ever written in plain text. */
export interface SecretVault {
  readonly available: boolean;
  /** Those that this user could decrypt on this machine when the vault was opened; others count as not there. */
  all(): ReadonlyMap<string, string>;
  /** Keeps a secret, or removes it (null). Does nothing without a keychain. */
  keep(name: string, value: string | null): Promise<void>;
}

const Stored = z.record(z.string(), z.base64());

export async function openSecretVault(file: string, keychain: Keychain): Promise<SecretVault> {
  const available = await keychain.available();
  const read = (): z.infer<typeof Stored> => {
    if (!existsSync(file)) return {};
    try {
      return Stored.catch({}).parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      return {};
    }
  };
  const known = new Map<string, string>();
  for (const [name, value] of Object.entries(available ? read() : {})) {
    try {
      known.set(name, await keychain.decrypt(Buffer.from(value, 'base64')));
    } catch {
      // Encrypted by another user or on another machine: as if it were not there.
    }
  }
  return {
    available,
    all: () => known,
    keep: async (name, value) => {
      if (!available) return;
      const encrypted = value === null ? null : Buffer.from(await keychain.encrypt(value)).toString('base64');
      const { [name]: _before, ...others } = read();
      const next = encrypted === null ? others : { ...others, [name]: encrypted };
      if (Object.keys(next).length === 0) rmSync(file, { force: true });
      else writeFileAtomic.sync(file, `${JSON.stringify(next)}\n`, { mode: 0o600 });
    },
  };
}
