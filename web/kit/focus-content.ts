/**
 * Moves the focus to the content of the page: to skip the navigation, and after an act that removes the element with the
 * focus.
 */
export const focusContent = (): void => document.getElementById('content')?.focus();
