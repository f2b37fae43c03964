// What this tab keeps until it is closed. Storage may be denied; then nothing is kept.

/** Texts that survive a reload of this tab, and that no other tab sees. */
export const tabStorage = {
  read: (key: string): string | undefined => attempt(() => sessionStorage.getItem(key)) ?? undefined,
  write: (key: string, value: string): void => void attempt(() => sessionStorage.setItem(key, value)),
  remove: (key: string): void => void attempt(() => sessionStorage.removeItem(key)),
  clear: (): void => void attempt(() => sessionStorage.clear()),
};

/** Returns what `act` returns, or `undefined` if storage is denied. */
export function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
