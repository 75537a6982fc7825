export const settings = {
  sections: {
    compute: 'Compute',
    pubmed: 'PubMed',
    appearance: 'Appearance',
    shortcuts: 'Shortcuts',
    about: 'About',
  },
  provider: 'Provider',
  providerText: 'What computes. If it is not available, Engram falls back to the processor and says so.',
  providers: {
    cpu: 'Processor (CPU)',
    cuda: 'NVIDIA (CUDA)',
    dml: 'Windows GPU (DirectML)',
    webgpu: 'WebGPU',
  },
  notAvailable: (name: string, note: string) => `${name}: ${note}`,
  threads: 'Threads',
  threadsText: '0 uses one per physical core. Results differ in the last digits between thread counts.',
  memory: 'Memory limit, MB',
  memoryText: 'Training runs and sweeps that need more are refused before they start.',
  hub: 'Where models come from',
  hubText: 'Address of the Hugging Face hub or a mirror of it. Asked only when you get a model.',
  badHub: 'An address that begins with https:// or http://.',
  badThreads: 'A whole number from 0 to 256.',
  badMemory: 'A whole number from 256 to 1,048,576.',
  inUse: (provider: string, threads: number) =>
    `In use now: ${provider}, ${threads} ${threads === 1 ? 'thread' : 'threads'}.`,
  pubmed: {
    email: 'E-mail',
    emailText: 'NCBI asks every program for the address of its user. Sent with searches, nowhere else.',
    badEmail: 'An address such as name@example.org.',
    key: 'API key',
    keyText:
      'Optional. With a free key of an NCBI account ten requests a second are allowed instead of three.',
    keep: 'Keep the key',
    remove: 'Remove the key',
    places: {
      keychain: {
        present: 'A key is kept in the keychain of this computer.',
        absent: 'It will be kept in the keychain of this computer.',
      },
      memory: {
        present: 'A key is kept in memory until Engram is closed.',
        absent:
          'There is no keychain here: it will be kept in memory until Engram is closed. ENGRAM_PUBMED_KEY sets one for good.',
      },
      environment: {
        present: 'The key comes from ENGRAM_PUBMED_KEY.',
        absent: 'ENGRAM_PUBMED_KEY is not set.',
      },
    },
  },
  theme: 'Colours',
  themeText: 'System follows the setting of your computer. Figures for the report are chosen there.',
  themes: { system: 'System', light: 'Light', dark: 'Dark' },
  single: 'Single-key shortcuts',
  singleText:
    'Letters such as I, E and M act outside text fields. Off leaves Ctrl and Cmd combinations only.',
  on: 'On',
  allKeys: 'Every key of this page and the frame is listed under Glossary and keys.',
  versionFacts: { app: 'Engram', engine: 'Engine', node: 'Node' },
  licence:
    'Engram is free software under the MIT licence. It works offline and sends nothing of yours anywhere; the hub is asked only for a model you want.',
  licences: 'Licences of everything shipped',
  licenceColumns: { name: 'Package', version: 'Version', licence: 'Licence' },
};
