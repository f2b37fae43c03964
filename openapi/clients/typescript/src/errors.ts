import type * as operations from './generated/sdk.gen.js';
import { isNetworkError, isProblem } from './network-error.js';

type Result = Awaited<ReturnType<(typeof operations)[keyof typeof operations]>>;

/** The error of any operation: a problem of Portico or a `NetworkError`. `code` tells which one. */
export type PorticoError = NonNullable<Extract<Result, { error: unknown }>['error']>;

/** Whether a value is the error of a call. Use it for what a call with `throwOnError` has thrown. */
export function isPorticoError(value: unknown): value is PorticoError {
  return isNetworkError(value) || isProblem(value);
}
