import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { BRIDGE_KEY, CHANNELS, PORT_MESSAGE, type DesktopBridge } from '../shared/contracts/bridge.ts';

// The handshake between the page and the main process, and nothing else.
ipcRenderer.on(CHANNELS.port, (event) => {
  window.postMessage(PORT_MESSAGE, window.location.origin, event.ports);
});

const bridge: DesktopBridge = {
  connect: () => {
    ipcRenderer.send(CHANNELS.connect);
  },
  pickFiles: (options) => ipcRenderer.invoke(CHANNELS.pickFiles, options),
  pickFolder: () => ipcRenderer.invoke(CHANNELS.pickFolder),
  // The page hands over the File it was given; Electron tells the place, which the page never learns.
  dropped: (file) => ipcRenderer.invoke(CHANNELS.dropped, webUtils.getPathForFile(file as File)),
  save: (download) => ipcRenderer.invoke(CHANNELS.save, download),
};

contextBridge.exposeInMainWorld(BRIDGE_KEY, bridge);
