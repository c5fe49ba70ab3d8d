/** The little that this page needs beside the DOM itself. Text is only ever set as text. */

export function byId(id) {
  return document.getElementById(id);
}

/** Sets text, but only where it differs: a live region that is set again is read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes an element; `attributes` are set as attributes, `children` are nodes or strings. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * Makes a list show `items` in their order, keeping the elements of those that were there: focus and reading position survive.
 * `create(item)` makes an element, `fill(element, item)` brings one up to date.
 */
export function showList(list, items, keyOf, create, fill) {
  const before = new Map(Array.from(list.children, (element) => [element.dataset.key, element]));
  let previous = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let element = before.get(key);
    before.delete(key);
    if (!element) {
      element = create(item);
      element.dataset.key = key;
    }
    const next = previous ? previous.nextSibling : list.firstChild;
    if (element !== next) list.insertBefore(element, next);
    fill(element, item);
    previous = element;
  }
  for (const element of before.values()) element.remove();
}
