import type { ComponentChildren } from 'preact';

/** What a list says that has no entries, and what to do about it. */
export function EmptyState({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="p-empty">
      <p class="p-empty-title">{title}</p>
      {children}
    </div>
  );
}
