import type { Session, WebContents, WebPreferences } from 'electron';

/** The page's own scheme and place; every other address is foreign. */
export const APP_SCHEME = 'app';
export const APP_ORIGIN = `${APP_SCHEME}://engram`;

/** How every window is made. Asserted by a test: a change here is a security decision. */
export const WEB_PREFERENCES = {
  contextIsolation: true,
  sandbox: true,
  webSecurity: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
} as const satisfies WebPreferences;

/** Sites that a link may open in the user's browser, over https only. */
const EXTERNAL_HOSTS: ReadonlySet<string> = new Set([
  'pubmed.ncbi.nlm.nih.gov',
  'www.ncbi.nlm.nih.gov',
  'doi.org',
  'arxiv.org',
]);

export function mayOpenExternal(address: string): boolean {
  const url = URL.parse(address);
  return (
    url !== null &&
    url.protocol === 'https:' &&
    url.port === '' &&
    url.username === '' &&
    EXTERNAL_HOSTS.has(url.hostname)
  );
}

/** Whether an address is the page itself. */
export function isOwnPage(address: string | undefined): boolean {
  const url = address === undefined ? null : URL.parse(address);
  return url !== null && url.protocol === `${APP_SCHEME}:` && url.hostname === 'engram';
}

/** The parts of a session that are closed. */
export type SessionLike = Pick<
  Session,
  'setPermissionRequestHandler' | 'setPermissionCheckHandler' | 'setDevicePermissionHandler'
>;

/** Denies every permission: the page needs none. */
export function hardenSession(session: SessionLike): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
}

export type ContentsLike = Pick<WebContents, 'setWindowOpenHandler'> & {
  on(event: 'will-navigate' | 'will-redirect', listener: (event: NavigationEvent) => void): unknown;
  on(event: 'will-attach-webview', listener: (event: { preventDefault(): void }) => void): unknown;
};
interface NavigationEvent {
  readonly url: string;
  preventDefault(): void;
}

/** No navigation away from the page, no new windows, no web views; links to known sites open outside. */
export function hardenContents(contents: ContentsLike, openExternal: (url: string) => void): void {
  const stay = (event: NavigationEvent): void => {
    if (!isOwnPage(event.url)) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
  });
  contents.setWindowOpenHandler(({ url }) => {
    if (mayOpenExternal(url)) openExternal(url);
    return { action: 'deny' };
  });
}
