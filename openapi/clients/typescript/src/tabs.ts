// What the tabs of an origin share: a lock, and the news that the session has ended.

/**
 * Runs `act` while no other tab runs one under the same name. Without Web Locks, or where the browser denies them, runs
 * it at once.
 */
export async function withLock<T>(name: string, act: () => Promise<T>): Promise<T> {
  const { navigator }: { navigator?: { locks?: LockManager } } = globalThis;
  if (!navigator?.locks) return act();
  let running: Promise<T> | undefined;
  try {
    return await navigator.locks.request(name, () => (running = act()));
  } catch {
    // Either `act` has failed, or the browser has denied the lock and has not called it.
    return running ?? act();
  }
}

/** Returns a function whose calls share one run of `act` until it ends. */
export function shareWhilePending<T>(act: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => (pending ??= act().finally(() => (pending = undefined)));
}

/** Knows whether the session of this tab has ended, and tells this tab and the others once when it ends. */
export class SessionState {
  #state: 'unknown' | 'active' | 'ended' = 'unknown';
  readonly #onEnd: () => void;
  readonly #otherTabs: BroadcastChannel | undefined;

  constructor(name: string, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#otherTabs = openChannel(name);
    if (!this.#otherTabs) return;
    this.#otherTabs.onmessage = () => this.#state === 'active' && this.#end();
    // In Node, an open channel would keep the process running.
    if ('unref' in this.#otherTabs && typeof this.#otherTabs.unref === 'function') this.#otherTabs.unref();
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  begin(): void {
    this.#state = 'active';
  }

  end(): void {
    // A tab that never had a session tells the others nothing. Otherwise two tabs that load their sign-in page when
    // they learn it would reload each other forever.
    if (this.#state === 'active') this.#otherTabs?.postMessage('ended');
    if (this.#state !== 'ended') this.#end();
  }

  #end(): void {
    this.#state = 'ended';
    this.#onEnd();
  }
}

/** Returns a channel to the other tabs, or nothing where the browser has none or denies it. */
function openChannel(name: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(name);
  } catch {
    return undefined;
  }
}
