/** The text of a button that opens a menu. A long one is cut. */
export function MenuLabel({ text }: { text: string }) {
  return (
    <span class="p-menu-label">
      <span dir="auto">{text}</span>
    </span>
  );
}
