import type { ComponentChildren } from 'preact';

interface NoticeProps {
  kind?: 'info' | 'success' | 'warning' | 'danger';
  title?: string;
  children?: ComponentChildren;
}

/** A message in the page. Screen readers announce it when it appears: an error at once, any other when they are idle. */
export function Notice({ kind = 'info', title, children }: NoticeProps) {
  return (
    <div class={`p-notice p-notice-${kind}`} role={kind === 'danger' ? 'alert' : 'status'}>
      {title && <p class="p-notice-title">{title}</p>}
      {children}
    </div>
  );
}
