import { amount, bytes, plural } from '../format.ts';

/** Getting a model from the hub: the list of files, the download, and the way without a network. */
export const getModel = {
  title: 'Get a model',
  lead: 'Fetches a model from the Hugging Face hub, checks every file against the published checksum, and imports it.',
  name: 'Model',
  nameHint: 'A short name, or owner/name. The weights must be safetensors.',
  known: 'Often used',
  parameters: (n: number) => `${amount(n)} parameters`,
  list: 'Show the files',
  listing: 'Asking',
  sends: (host: string) =>
    `Asks ${host} for the names, sizes and checksums of the files. Nothing was sent before, and the download starts only when you start it.`,
  files: (n: number) => plural(n, 'file'),
  columns: { file: 'File', size: 'Size', here: 'Here', checksum: 'Published checksum' },
  here: 'all',
  notHere: 'none',
  partly: (here: number) => bytes(here),
  noChecksum: 'none',
  commit: 'Commit',
  folder: 'Folder',
  total: 'In all',
  missing: 'To fetch',
  free: 'Free on the disk',
  copyNote: 'The study keeps a copy of its own, so that it can be moved.',
  gated: 'The owner gives these files only to people who accepted the conditions.',
  gatedText: (page: string) =>
    `Accept them at ${page}, then start Engram with ENGRAM_HUB_TOKEN set to a read token.`,
  modelName: 'Name in the study',
  start: 'Download and import',
  running: 'The download runs; it is listed under Jobs, where it can be paused and stopped.',
  save: 'Save the list',
  offline: 'Without a network',
  offlineText:
    'Copy the files from a machine that has them to one folder, then import that folder. To have them verified too, save the list on a machine with a network, and give it to the command line here:',
  offlineCommand: (name: string) =>
    `engram model get ${name} STUDY --manifest LIST.json --folder COPIED_FOLDER`,
};
