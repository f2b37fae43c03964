import type { ComponentChildren } from 'preact';

/** A list of names and values. */
export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="p-facts">{children}</dl>;
}

/** One name and its value. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
