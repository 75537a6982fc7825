import { z } from 'zod';
import * as d from '../domain/index.ts';

/** No input. */
export const none = z.object({});
/** Done, and nothing to say. */
export const ok = z.object({});
/** What was asked for takes a while: its job. */
export const jobStarted = z.object({ jobId: d.JobId });

/** A file or folder the host knows and the renderer only names: handles, never paths. */
export const FileHandle = z.object({ handle: z.string(), name: z.string(), bytes: z.number().nullable() });
export type FileHandle = z.infer<typeof FileHandle>;

/** Something to save: the host writes it (Electron dialog) or offers it for download (browser). */
export const Download = z.object({ url: z.string(), name: z.string(), mime: z.string(), bytes: z.number() });
export type Download = z.infer<typeof Download>;

/** A share of a gap or of effects; null where it is undefined. */
export const Share = z.number().nullable();
