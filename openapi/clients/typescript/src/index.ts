// A name that two modules export is a compile error here (TS2308). An explicit export would hide the other silently.
export * from './errors.js';
export * from './generated/index.js';
export * from './http-client.js';
export * from './refresh.js';
