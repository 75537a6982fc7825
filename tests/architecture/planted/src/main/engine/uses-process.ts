// Type-checks only where Node's types are visible, which the engine's environment must not be.
export const x = process.platform;
