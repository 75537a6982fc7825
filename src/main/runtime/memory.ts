import { totalmem } from 'node:os';

/** Largest resident size of this process so far, in bytes. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024; // kilobytes, on every platform (libuv)
}

/** Bytes of memory that this machine has, or the container that the process runs in. */
export function machineMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}
