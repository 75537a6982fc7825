import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSecretVault, type Keychain } from '../../../../src/main/shell/secrets.ts';
import { tempFolder } from '../../../support/store.ts';

/** The system's keychain stands behind an interface; this one turns every byte around. */
const keychain: Keychain = {
  available: () => Promise.resolve(true),
  encrypt: (text) => Promise.resolve(Buffer.from(text).map((byte) => byte ^ 0xff)),
  decrypt: (bytes) =>
    bytes[0] === 0
      ? Promise.reject(new Error('another user encrypted this'))
      : Promise.resolve(Buffer.from(bytes.map((byte) => byte ^ 0xff)).toString('utf8')),
};

describe('the secret vault', () => {
  it('keeps secrets encrypted, readable by the user alone, and removes them with their file', async () => {
    const file = join(tempFolder(), 'secrets.json');
    await (await openSecretVault(file, keychain)).keep('pubmed-key', 'abcdef0123456789');
    const written = readFileSync(file, 'utf8');
    expect(written).not.toContain('abcdef0123456789');
    expect(written).not.toContain(Buffer.from('abcdef0123456789').toString('base64'));
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await openSecretVault(file, keychain);
    expect([...again.all()]).toEqual([['pubmed-key', 'abcdef0123456789']]);
    await again.keep('pubmed-key', null);
    expect(existsSync(file)).toBe(false);
  });

  it('writes nothing where there is no keychain', async () => {
    const file = join(tempFolder(), 'secrets.json');
    const vault = await openSecretVault(file, { ...keychain, available: () => Promise.resolve(false) });
    await vault.keep('pubmed-key', 'abcdef0123456789');
    expect(existsSync(file)).toBe(false);
    expect(vault.all().size).toBe(0);
  });

  it('counts what it cannot read or decrypt as not there', async () => {
    const file = join(tempFolder(), 'secrets.json');
    writeFileSync(file, JSON.stringify({ 'pubmed-key': Buffer.from([0, 1]).toString('base64') }));
    expect((await openSecretVault(file, keychain)).all().size).toBe(0);
    writeFileSync(file, '{ half');
    expect((await openSecretVault(file, keychain)).all().size).toBe(0);
  });
});
