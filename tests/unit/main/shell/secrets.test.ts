import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createSecretVault, type Keychain } from '../../../../src/main/shell/secrets.ts';
import { tempFolder } from '../../../support/store.ts';

/** The system's keychain stands behind an interface; this one turns every byte around. */
const keychain: Keychain = {
  available: () => true,
  encrypt: (text) => Buffer.from(text).map((byte) => byte ^ 0xff),
  decrypt: (bytes) => {
    if (bytes[0] === 0) throw new Error('another user encrypted this');
    return Buffer.from(bytes.map((byte) => byte ^ 0xff)).toString('utf8');
  },
};

describe('the secret vault', () => {
  it('keeps secrets encrypted, readable by the user alone, and removes them with their file', () => {
    const file = join(tempFolder(), 'secrets.json');
    createSecretVault(file, keychain).keep('pubmed-key', 'abcdef0123456789');
    const written = readFileSync(file, 'utf8');
    expect(written).not.toContain('abcdef0123456789');
    expect(written).not.toContain(Buffer.from('abcdef0123456789').toString('base64'));
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = createSecretVault(file, keychain);
    expect([...again.all()]).toEqual([['pubmed-key', 'abcdef0123456789']]);
    again.keep('pubmed-key', null);
    expect(existsSync(file)).toBe(false);
  });

  it('writes nothing where there is no keychain', () => {
    const file = join(tempFolder(), 'secrets.json');
    const vault = createSecretVault(file, { ...keychain, available: () => false });
    vault.keep('pubmed-key', 'abcdef0123456789');
    expect(existsSync(file)).toBe(false);
    expect(vault.all().size).toBe(0);
  });

  it('counts what it cannot read or decrypt as not there', () => {
    const file = join(tempFolder(), 'secrets.json');
    writeFileSync(file, JSON.stringify({ 'pubmed-key': Buffer.from([0, 1]).toString('base64') }));
    expect(createSecretVault(file, keychain).all().size).toBe(0);
    writeFileSync(file, '{ half');
    expect(createSecretVault(file, keychain).all().size).toBe(0);
  });
});
