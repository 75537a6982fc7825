import { z } from 'zod';

// The page's content security policy forbids code made from text, so schemas must not try it. Imported
// before anything that defines a schema.
z.config({ jitless: true });
