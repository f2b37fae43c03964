import type { ComponentChildren } from 'preact';

/** A surface that groups content. With a title, it is a section of the page. */
export function Card({ title, actions, children }: { title?: string; actions?: ComponentChildren; children: ComponentChildren }) {
  if (!title) return <div class="p-card">{children}</div>;
  return (
    <section class="p-card" aria-label={title}>
      <header class="p-card-head">
        <h2 class="p-card-title" dir="auto">
          {title}
        </h2>
        {actions && <div class="p-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
