import type { BrowserWindowConstructorOptions } from 'electron';
import { APP_ORIGIN, WEB_PREFERENCES } from './security.ts';

/** Where the page starts. */
export const START_ADDRESS = `${APP_ORIGIN}/index.html`;

/** The one window. It is shown once its first page is painted, so that it never flashes empty. */
export function windowOptions(preload: string): BrowserWindowConstructorOptions {
  return {
    width: 1440,
    height: 900,
    minWidth: 1024,
    minHeight: 640,
    show: false,
    backgroundColor: '#fffefe',
    title: 'Engram',
    webPreferences: { ...WEB_PREFERENCES, preload },
  };
}
