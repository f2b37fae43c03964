import type { ComponentChildren } from 'preact';

interface LinkButtonProps {
  href: string;
  kind?: 'primary' | 'secondary' | 'plain';
  small?: boolean;
  children: ComponentChildren;
}

/** A link that looks like a button. */
export function LinkButton({ href, kind = 'primary', small, children }: LinkButtonProps) {
  return (
    <a href={href} class={`p-button p-button-${kind}${small ? ' p-button-small' : ''}`}>
      <span class="p-button-text">{children}</span>
    </a>
  );
}
