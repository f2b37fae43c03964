// What is wrong with the layout of a page: found in the page itself.

/** Returns what is cut off, what overlaps, and what is wider than the window. */
export const layoutProblems = (page) => page.evaluate(findProblems);

function findProblems() {
  const scope = document.querySelector('dialog[open]') ?? document;
  const describe = (element) => `<${element.tagName.toLowerCase()} class="${element.className}"> "${(element.textContent || element.ariaLabel || '').trim().slice(0, 60)}"`;
  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !element.closest('.p-hidden, .p-skip, [inert], [aria-hidden=true]');
  return [...tooWide(), ...cutOff(), ...overlaps()];

  function tooWide() {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`the page is ${scrollWidth - clientWidth} px wider than the window`] : [];
  }

  /** Elements whose own text does not fit into them. */
  function cutOff() {
    const withText = [...scope.querySelectorAll('button, a, label, h1, h2, p, dt, dd, th, td, span, li, option, bdi')].filter(
      (element) => isVisible(element) && [...element.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim()),
    );
    return withText.filter(isCut).map((element) => `cut off: ${describe(element)}`);
  }

  function isCut(element) {
    const { overflowX, display, textOverflow, webkitLineClamp } = getComputedStyle(element);
    if (display === 'inline' || element.tagName === 'OPTION') return false;
    // A long name may end with an ellipsis, a text of ours may not.
    const isShortened = textOverflow === 'ellipsis' || webkitLineClamp !== 'none';
    if (isShortened && element.matches('bdi, [dir=auto]')) return false;
    const hidesX = overflowX !== 'visible' || element.closest('button, .p-badge') !== null;
    return (hidesX && element.scrollWidth > element.clientWidth + 1) || (hidesX && element.scrollHeight > element.clientHeight + 2);
  }

  /** Pairs of controls that share a place. The button inside of a password field stands there on purpose. */
  function overlaps() {
    const controls = [...scope.querySelectorAll('button, a[href], input, select, textarea, summary')].filter(isVisible);
    const boxes = controls.map((element) => ({ element, box: element.getBoundingClientRect() })).filter(({ box }) => box.width > 1 && box.height > 1);
    return boxes.flatMap((one, index) =>
      boxes
        .slice(index + 1)
        .filter((other) => sharePlace(one, other))
        .map((other) => `overlap: ${describe(one.element)} and ${describe(other.element)}`),
    );
  }

  function sharePlace(one, other) {
    if (one.element.contains(other.element) || other.element.contains(one.element)) return false;
    if (one.element.parentElement === other.element.parentElement && one.element.closest('.p-password')) return false;
    const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
    const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
    return width > 1 && height > 1;
  }
}
