// What sections are made with. Nothing in the document changes unless what it shows did.

export const $ = (id) => document.getElementById(id);

export function say(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

export function element(tag, text, className = '') {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className !== '') made.className = className;
  return made;
}

/** Sets the children of a list, one item each: `childrenOf(item, child)` gives what goes into it. */
export function fill(id, items, childrenOf, tag = 'li') {
  const made = items.map((item) => {
    const child = document.createElement(tag);
    child.append(...childrenOf(item, child));
    return child;
  });
  setChildren($(id), made);
}

/** Sets head and rows of a table: texts or elements, the first cell of each row its header. `classes`: of each column. */
export function table(id, names, rows, classes = []) {
  const [head, body] = [$(id).tHead, $(id).tBodies[0]];
  setChildren(head, [
    row(
      names.map((name) => headerCell(name, 'col')),
      classes,
    ),
  ]);
  setChildren(
    body,
    rows.map(([first, ...rest]) => row([headerCell(first, 'row'), ...rest.map((cell) => filled('td', cell))], classes)),
  );
}

/** A bar of a share from 0 to 1; the number beside it says the same. */
export function shareBar(share, className = '') {
  const bar = element('span', '', `share ${className}`.trim());
  const part = document.createElement('i');
  part.style.width = `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
  bar.append(part);
  return bar;
}

function headerCell(content, scope) {
  const cell = filled('th', content);
  cell.scope = scope;
  return cell;
}

function filled(tag, content) {
  const cell = document.createElement(tag);
  cell.append(...[content].flat());
  return cell;
}

function row(cells, classes) {
  const line = document.createElement('tr');
  cells.forEach((cell, column) => {
    if (classes[column]) cell.className = classes[column];
  });
  line.append(...cells);
  return line;
}

/** What stays the same stays in place, with what people have selected in it. */
function setChildren(parent, children) {
  children.forEach((child, index) => {
    const there = parent.children[index];
    if (there === undefined) parent.append(child);
    else if (!child.isEqualNode(there)) there.replaceWith(child);
  });
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}
