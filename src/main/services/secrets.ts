/** What a service may keep secret. */
export type SecretName = 'pubmed-key';

/** Secrets of this user. Each host provides one; none ever writes a secret in plain text. */
export interface SecretStore {
  /** `keychain` = encrypted by the system and kept; `memory` = forgotten when Engram is closed. */
  readonly place: 'keychain' | 'memory';
  get(name: SecretName): string | null;
  set(name: SecretName, value: string | null): Promise<void>;
}

/** For hosts that have no keychain. */
export function memorySecrets(): SecretStore {
  const values = new Map<SecretName, string>();
  return {
    place: 'memory',
    get: (name) => values.get(name) ?? null,
    set: (name, value) => {
      if (value === null) values.delete(name);
      else values.set(name, value);
      return Promise.resolve();
    },
  };
}
