/** A link to the page above. */
export function BackLink({ href, children }: { href: string; children: string }) {
  return (
    <a class="p-back" href={href}>
      <span aria-hidden="true">‹</span> <bdi>{children}</bdi>
    </a>
  );
}
