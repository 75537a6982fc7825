export { hubAccess, type HubAccess } from './access.ts';
export { fetchHubModel, type FetchWatch } from './fetch.ts';
export { listHubModel } from './listing.ts';
export { hubFolder, hubListing, requireSpace } from './local.ts';
