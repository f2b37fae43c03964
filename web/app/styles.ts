// Styles of a step that few visitors see. The shell links those of each page (`kit/styles/`).

const LOADING = new Map<string, Promise<void>>();

/** Links a file of `kit/styles`, and returns when it is loaded. A file that is linked already is not loaded again. */
export function loadStyles(name: string): Promise<void> {
  const loading = LOADING.get(name) ?? link(name);
  LOADING.set(name, loading);
  loading.catch(() => LOADING.delete(name));
  return loading;
}

function link(name: string): Promise<void> {
  const entry = document.querySelector<HTMLLinkElement>('link[href$="/entry.css"]');
  return new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement('link'), {
      rel: 'stylesheet',
      href: entry?.href.replace('entry.css', `${name}.css`) ?? '',
      onload: () => resolve(),
      onerror: () => {
        element.remove();
        reject(new Error(name));
      },
    });
    document.head.append(element);
  });
}
