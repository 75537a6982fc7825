/** Name and version of the engine, stored with every result. */
export const ENGINE_VERSION = '0.1.0';
