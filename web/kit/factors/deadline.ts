import { useEffect, useState } from 'preact/hooks';

/** Whether a time has passed since `since` last changed. It reads the clock each second, because computers sleep. */
export function useHasPassed(milliseconds: number, since?: unknown): boolean {
  const [hasPassed, setPassed] = useState(false);
  useEffect(() => {
    const end = Date.now() + milliseconds;
    const update = () => setPassed(Date.now() >= end);
    update();
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  }, [milliseconds, since]);
  return hasPassed;
}
