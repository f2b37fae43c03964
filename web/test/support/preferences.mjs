// What is wrong with a page for users who have chosen a high contrast (forced colours) or less motion.
/**
 * Returns which controls, states and shapes of a page cannot be seen in the colours that the user forces on it. axe cannot
 * tell: it reads colours of texts that Chromium then replaces.
 */
export async function forcedColourProblems(page) {
  await page.evaluate(collectShapes);
  await page.emulateMedia({ forcedColors: 'active' });
  // After a key, the focus is shown as to a user of the keyboard.
  await page.keyboard.press('Tab');
  const problems = await page.evaluate(findInvisible);
  await page.emulateMedia({ forcedColors: 'none' });
  return problems;
}

/** Returns which elements move for longer than 0.01 s although the user wants less motion. */
export const motionProblems = (page) => page.evaluate(findMotion);

/** Remembers the elements that show something by their background only, such as a bar of a chart. */
function collectShapes() {
  globalThis.shapes = [...document.querySelectorAll('body *')].filter((element) => {
    const { backgroundColor, backgroundImage } = getComputedStyle(element);
    const isEmpty = element.childNodes.length === 0 && !element.matches('input, textarea, select, progress, img, svg, svg *');
    const isFilled = backgroundImage !== 'none' || !/^(rgba\(0, 0, 0, 0\)|transparent)$/.test(backgroundColor);
    return isEmpty && isFilled && element.checkVisibility() && element.offsetWidth > 1;
  });
}

function findInvisible() {
  const describe = (element) => {
    const text = (element.textContent || element.ariaLabel || '').trim().slice(0, 40);
    return `<${element.tagName.toLowerCase()} class="${element.className}"> "${text}"`;
  };
  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.p-hidden, [inert]');
  document.activeElement?.blur();
  const controls = [...document.querySelectorAll('button, a[href], input, select, textarea, summary')].filter(isVisible);
  // The browser draws the others itself, and text with a line below it is a link.
  const isDrawn = (element) => element.matches('button, select, textarea, input:not([type=checkbox], [type=radio], [type=range])');
  const problems = (what, elements) => elements.map((element) => `${what}: ${describe(element)}`);
  return [
    ...problems('no edge', controls.filter((element) => isDrawn(element) && !hasEdge(element) && !isUnderlined(element))),
    ...problems('no focus', controls.filter((element) => !showsFocus(element))),
    ...problems('no shape', globalThis.shapes.filter((element) => !hasEdge(element) && !keepsColours(element))),
    ...['aria-current', 'aria-pressed', 'aria-invalid', 'aria-disabled'].flatMap((name) => problems(`no ${name}`, hiddenStates(name))),
  ];

  function isUnderlined(element) {
    return getComputedStyle(element).textDecorationLine === 'underline';
  }

  function hasEdge(element) {
    const style = getComputedStyle(element);
    const behind = backgroundBehind(element);
    const isLine = (width, kind, color) => parseFloat(width) >= 1 && !/none|hidden/.test(kind) && color !== behind;
    const sides = ['Top', 'Right', 'Bottom', 'Left'];
    return (
      isLine(style.outlineWidth, style.outlineStyle, style.outlineColor) ||
      sides.every((side) => isLine(style[`border${side}Width`], style[`border${side}Style`], style[`border${side}Color`]))
    );
  }

  function backgroundBehind({ parentElement }) {
    for (let each = parentElement; each; each = each.parentElement) {
      const { backgroundColor } = getComputedStyle(each);
      if (!/^(rgba\(0, 0, 0, 0\)|transparent)$/.test(backgroundColor)) return backgroundColor;
    }
    return 'rgb(255, 255, 255)';
  }

  function showsFocus(element) {
    const before = lookOf(element);
    element.focus({ preventScroll: true });
    const { outlineWidth, outlineStyle, outlineColor } = getComputedStyle(element);
    const isOutlined = parseFloat(outlineWidth) >= 2 && outlineStyle !== 'none' && outlineColor !== backgroundBehind(element);
    const isChanged = lookOf(element) !== before;
    element.blur();
    return isOutlined && isChanged;
  }

  /** Elements that look the same without the attribute. */
  function hiddenStates(attribute) {
    return [...document.querySelectorAll(`[${attribute}]:not([${attribute}=false])`)]
      .filter(isVisible)
      .filter((element) => {
        const [value, look] = [element.getAttribute(attribute), lookOf(element)];
        element.removeAttribute(attribute);
        const isSame = lookOf(element) === look;
        element.setAttribute(attribute, value);
        // A sentence says that a field is not valid.
        return isSame && !(attribute === 'aria-invalid' && element.getAttribute('aria-describedby'));
      });
  }

  function lookOf(element) {
    const style = getComputedStyle(element);
    const border = ['borderStyle', 'borderColor', 'outlineStyle', 'outlineWidth'];
    const names = ['color', 'backgroundColor', 'fontWeight', 'textDecorationLine', ...border];
    return names.map((name) => style[name]).join();
  }

  function keepsColours(element) {
    return getComputedStyle(element).forcedColorAdjust === 'none';
  }
}

function findMotion() {
  const seconds = (list) => Math.max(...list.split(',').map(parseFloat));
  const isMoving = (style) =>
    (style.animationName !== 'none' && seconds(style.animationDuration) + seconds(style.animationDelay) > 0.01) ||
    seconds(style.transitionDuration) + seconds(style.transitionDelay) > 0.01;
  return [...document.querySelectorAll('*')].flatMap((element) =>
    ['', '::before', '::after', '::backdrop']
      .filter((part) => isMoving(getComputedStyle(element, part || undefined)))
      .map((part) => `motion: <${element.tagName.toLowerCase()} class="${element.className}">${part}`),
  );
}
