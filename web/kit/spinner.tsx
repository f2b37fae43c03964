/** A turning circle for work that takes a moment. Texts beside it say what happens. */
export function Spinner() {
  return <span class="p-spinner" aria-hidden="true" />;
}
