import { join } from 'node:path';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  MessageChannelMain,
  protocol,
  safeStorage,
  session,
  shell,
  utilityProcess,
  type MessagePortMain,
} from 'electron';
import { CHANNELS } from '../../shared/contracts/index.ts';
import { REPORT_STYLE } from '../exporters/report/style.ts';
import { startCore, type AnyPort, type ChildLike, type CoreProcess } from '../shell/core.ts';
import { registerDialogs } from '../shell/dialogs.ts';
import { APP_SCHEMES, serveRenderer } from '../shell/protocol.ts';
import { openSecretVault } from '../shell/secrets.ts';
import { hardenContents, hardenSession, isOwnPage } from '../shell/security.ts';
import { styleHash } from '../shell/web/policy.ts';
import { START_ADDRESS, windowOptions } from '../shell/window.ts';
import { appPaths } from './paths.ts';

// The desktop application: one window, the services in a process of their own, the compute process beside.

protocol.registerSchemesAsPrivileged(APP_SCHEMES);
const paths = appPaths();
let core: CoreProcess | null = null;

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    const [window] = BrowserWindow.getAllWindows();
    window?.restore();
    window?.focus();
  });
  app.on('web-contents-created', (_event, contents) => {
    hardenContents(contents, (url) => void shell.openExternal(url));
  });
  app.on('window-all-closed', () => {
    app.quit();
  });
  app.on('before-quit', (event) => {
    const open = core;
    if (open === null) return;
    event.preventDefault();
    core = null;
    void open.close().finally(() => {
      app.quit();
    });
  });
  void app.whenReady().then(start);
} else {
  app.quit();
}

async function start(): Promise<void> {
  hardenSession(session.defaultSession);
  serveRenderer(protocol, paths.renderer, [styleHash(REPORT_STYLE)]);
  const vault = await openSecretVault(join(app.getPath('userData'), 'secrets.json'), {
    available: hasKeychain,
    encrypt: (text) => safeStorage.encryptStringAsync(text),
    decrypt: async (bytes) => (await safeStorage.decryptStringAsync(Buffer.from(bytes))).result,
  });
  const started = startCore(
    {
      fork: (entry, serviceName, env): ChildLike =>
        utilityChild(utilityProcess.fork(entry, [], { serviceName, env: { ...process.env, ...env } })),
      channel: () => new MessageChannelMain(),
      vault,
    },
    join(paths.root, 'out', 'main', 'core.js'),
    { data: app.getPath('userData'), studies: join(app.getPath('documents'), 'Engram') },
    (code) => {
      core = null;
      dialog.showErrorBox(
        'Engram has to close',
        `The services ended unexpectedly (code ${code}). Nothing that was stored is lost.`,
      );
      app.quit();
    },
  );
  core = started;
  registerDialogs(
    {
      handle: (channel, listener) => {
        ipcMain.handle(channel, listener);
      },
      showOpen: (options) => dialog.showOpenDialog(options),
      showSave: (options) => dialog.showSaveDialog(options),
      downloads: app.getPath('downloads'),
    },
    started,
  );
  ipcMain.on(CHANNELS.connect, (event) => {
    if (!isOwnPage(event.senderFrame?.url)) return;
    event.sender.postMessage(CHANNELS.port, null, [asPort(started.connectPage())]);
  });
  const window = new BrowserWindow(windowOptions(join(paths.root, 'out', 'preload', 'index.cjs')));
  window.once('ready-to-show', () => {
    window.show();
  });
  await window.loadURL(START_ADDRESS);
}

/** Linux without a keyring falls back to a key that is in Electron's source: that is no keychain. */
async function hasKeychain(): Promise<boolean> {
  if (!(await safeStorage.isAsyncEncryptionAvailable())) return false;
  return process.platform !== 'linux' || safeStorage.getSelectedStorageBackend() !== 'basic_text';
}

/** Electron's own child under the interface that the shell is tested with. */
function utilityChild(child: Electron.UtilityProcess): ChildLike {
  return {
    postMessage: (message, transfer = []) => {
      child.postMessage(message, transfer.map(asPort));
    },
    onMessage: (listener) => {
      child.on('message', listener);
    },
    onExit: (listener) => {
      child.on('exit', listener);
    },
    kill: () => child.kill(),
  };
}

/** Every port in this file was made by `channel` above. */
function asPort(port: AnyPort): MessagePortMain {
  return port as MessagePortMain;
}
