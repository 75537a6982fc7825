// The content security policy forbids code made from text. The schema library looks at this setting when
// the first schema is made, so it is set before anything that holds schemas is loaded.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

const { start } = await import('./start.ts');
start();

export {};
