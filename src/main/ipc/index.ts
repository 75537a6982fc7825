export { EventBus } from './events.ts';
export { createInProcessClient } from './in-process.ts';
export { attachMessagePort } from './message-port.ts';
export { createRouter, type Router } from './router.ts';
export { attachWebSocket } from './web-socket.ts';
