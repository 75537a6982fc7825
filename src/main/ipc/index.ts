export { EventBus, type BusEvent, type EventListener } from './events.ts';
export { createInProcessClient } from './in-process.ts';
export { attachMessagePort, type PortLike } from './message-port.ts';
export { createContractRouter, createRouter, type Router, type RouterOptions } from './router.ts';
export { attachWebSocket } from './web-socket.ts';
