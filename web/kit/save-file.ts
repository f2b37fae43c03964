/** Lets the browser save a file. */
export function saveFile(name: string, file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

/** Lets the browser save a table. */
export const saveTable = (name: string, csv: string): void => saveFile(name, new Blob([csv], { type: 'text/csv;charset=utf-8' }));
