import { existsSync, readFileSync, rmSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/** The system's keychain, as Electron's `safeStorage` gives it. */
export interface Keychain {
  /** False where the system has none, or one that encrypts with a key everybody knows. */
  available(): boolean;
  encrypt(text: string): Uint8Array;
  decrypt(bytes: Uint8Array): string;
}

/** Secrets encrypted with the keychain, in a file of the user's data. Nothing is ever written in plain text. */
export interface SecretVault {
  readonly available: boolean;
  /** Those that this user can decrypt on this machine; others count as not there. */
  all(): ReadonlyMap<string, string>;
  /** Keeps a secret, or removes it (null). Does nothing without a keychain. */
  keep(name: string, value: string | null): void;
}

const Stored = z.record(z.string(), z.base64());

export function createSecretVault(file: string, keychain: Keychain): SecretVault {
  const available = keychain.available();
  const read = (): z.infer<typeof Stored> => {
    if (!existsSync(file)) return {};
    try {
      return Stored.catch({}).parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      return {};
    }
  };
  const decrypt = (value: string): string | null => {
    try {
      return keychain.decrypt(Buffer.from(value, 'base64'));
    } catch {
      return null;
    }
  };
  return {
    available,
    all: () => {
      const entries = Object.entries(available ? read() : {});
      const known = entries.map(([name, value]) => [name, decrypt(value)] as const);
      return new Map(known.filter((entry): entry is readonly [string, string] => entry[1] !== null));
    },
    keep: (name, value) => {
      if (!available) return;
      const { [name]: _before, ...others } = read();
      const next =
        value === null
          ? others
          : { ...others, [name]: Buffer.from(keychain.encrypt(value)).toString('base64') };
      if (Object.keys(next).length === 0) rmSync(file, { force: true });
      else writeFileAtomic.sync(file, `${JSON.stringify(next)}\n`, { mode: 0o600 });
    },
  };
}
