import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadTexts, useLocale, useTexts, type BundleName } from '../app/texts.ts';
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';
import { Skeleton } from './skeleton.tsx';

interface LateProps<Props> {
  load: () => Promise<{ default: ComponentType<Props> }>;
  /** The bundles of texts that the component uses, besides those of the page. */
  texts: BundleName[];
  /** What the component receives. */
  props: Props;
}

/** Shows a component whose code few visits of the page need, once it is loaded. */
export function Late<Props extends object>({ load, texts, props }: LateProps<Props>) {
  const locale = useLocale();
  const { pageFailed } = useTexts('common');
  const [content, setContent] = useState<{ default: ComponentType<Props> } | 'failed'>();
  useEffect(() => {
    Promise.all([load(), loadTexts(locale, texts)]).then(
      ([loaded]) => setContent(loaded),
      () => setContent('failed'),
    );
  }, []);
  if (!content) return <Skeleton />;
  if (content !== 'failed') return <content.default {...props} />;
  return (
    <Notice kind="danger" title={pageFailed.title}>
      <p>{pageFailed.body}</p>
      <Button onClick={() => location.reload()}>{pageFailed.reload}</Button>
    </Notice>
  );
}
