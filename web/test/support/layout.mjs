// What is wrong with the layout of a page: found in the page itself.

export const PHONE = { width: 390, height: 844 };
export const SCREEN = { width: 1280, height: 800 };
/** A window of 1280 × 1024 pixels at 400 % (WCAG 1.4.10). */
export const ZOOMED = { width: 320, height: 256 };

/** Returns what is cut off, what overlaps, and what is wider than the window. */
export const layoutProblems = (page) => page.evaluate(findProblems);

/**
 * Sets the distances between lines, paragraphs, words and letters that a user may choose (WCAG 1.4.12), until the page is
 * left.
 */
export const spaceText = (page) =>
  page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      * { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
      p { margin-block-end: 2em !important; }`);
    document.adoptedStyleSheets = [sheet];
  });

function findProblems() {
  const scope = document.querySelector('dialog[open], :popover-open') ?? document;
  const describe = (element) => {
    const text = (element.textContent || element.ariaLabel || '').trim().slice(0, 60);
    return `<${element.tagName.toLowerCase()} class="${element.className}"> "${text}"`;
  };
  const isVisible = (element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
    !element.closest('.p-hidden, .p-skip, [inert], [aria-hidden=true]') &&
    getComputedStyle(element.closest('thead') ?? element).clipPath === 'none';
  return [...tooWide(), ...outside(), ...cutOff(), ...overlaps()];

  function tooWide() {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth > clientWidth ? [`the page is ${scrollWidth - clientWidth} px wider than the window`] : [];
  }

  /** Texts and controls that stick out of the window, or of the box around them. */
  function outside() {
    const boxes = '.p-card, .p-notice, .p-menu, dialog, td, th';
    const frame = (element) => (element.closest(boxes) ?? document.documentElement).getBoundingClientRect();
    return [...withText(), ...controls()]
      .filter((element) => {
        const [box, around] = [element.getBoundingClientRect(), frame(element)];
        return box.width > 1 && (box.right > Math.min(around.right, innerWidth) + 1 || box.left < Math.max(around.left, 0) - 1);
      })
      .map((element) => `outside: ${describe(element)}`);
  }

  /** Elements whose own text does not fit into them. */
  function cutOff() {
    return withText().filter(isCut).map((element) => `cut off: ${describe(element)}`);
  }

  function withText() {
    return [...scope.querySelectorAll('button, a, label, h1, h2, p, dt, dd, th, td, span, li, option, bdi')].filter(
      (element) => isVisible(element) && [...element.childNodes].some(({ nodeType, data }) => nodeType === Node.TEXT_NODE && data.trim()),
    );
  }

  function controls() {
    return [...scope.querySelectorAll('button, a[href], input, select, textarea, summary')].filter(isVisible);
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
    const boxes = controls()
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 1 && box.height > 1);
    return boxes.flatMap((one, index) =>
      boxes
        .slice(index + 1)
        .filter((other) => sharePlace(one, other))
        .map((other) => `overlap: ${describe(one.element)} and ${describe(other.element)}`),
    );
  }

  function sharePlace(one, other) {
    if (one.element.contains(other.element) || other.element.contains(one.element)) return false;
    // What an act has done stays in sight above the page, until it is closed.
    if (Boolean(one.element.closest('.p-outcome')) !== Boolean(other.element.closest('.p-outcome'))) return false;
    if (one.element.parentElement === other.element.parentElement && one.element.closest('.p-password')) return false;
    const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
    const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
    return width > 1 && height > 1;
  }
}
