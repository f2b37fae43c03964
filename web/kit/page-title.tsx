import { useLayoutEffect, useRef } from 'preact/hooks';
import { useBrand } from '../app/brand.tsx';

/** Whether a page was shown before. The first page keeps the focus where the browser has put it. */
let hasShownPage = false;

/** The heading of a page. It names the document, and receives the focus when the user comes from another page. */
export function PageTitle({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { name } = useBrand();
  useLayoutEffect(() => {
    document.title = `${children} · ${name}`;
  }, [children, name]);
  useLayoutEffect(() => {
    if (hasShownPage) heading.current?.focus({ preventScroll: true });
    hasShownPage = true;
  }, []);
  return (
    <h1 class="p-title" tabIndex={-1} ref={heading} dir="auto">
      {children}
    </h1>
  );
}
