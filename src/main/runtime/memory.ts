/** Largest resident size of this process so far, in bytes. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024; // kilobytes, on every platform (libuv)
}
