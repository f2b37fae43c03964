import { useEffect, useState } from 'preact/hooks';
import { useTexts } from '../app/texts.ts';

/** A notice at the top of the page while the browser has no connection. */
export function OfflineNotice() {
  const texts = useTexts('common');
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    addEventListener('online', update);
    addEventListener('offline', update);
    return () => {
      removeEventListener('online', update);
      removeEventListener('offline', update);
    };
  }, []);
  return (
    <div role="status" class="p-offline" hidden={online}>
      {online ? '' : texts.offline}
    </div>
  );
}
