/**
 * ONNX Runtime's official builds for Linux and macOS send usage events (session and model facts, a persistent
 * device identifier) to their maker unless this is set before the first session (since 1.29). Nothing leaves the
 * user's machine from here: every module that uses the runtime takes it from `ort.ts`, which imports this first.
 * On Windows the runtime writes to the system's own event tracing only, which follows the system's privacy
 * settings.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
