// Sent in the place of a script of another build: this process runs another version than the one that made the page.
// Reloads the page after a second, at most five times a minute. It works as a classic script and as a module.
(() => {
  const key = "portico-reloads";
  const minute = 60_000;
  if (globalThis[key]) return;
  globalThis[key] = true;
  try {
    const now = Date.now();
    const stored = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    const recent = stored.filter((time) => time <= now && time > now - minute);
    const delay = recent.length < 5 ? 1_000 : Math.max(1_000, recent.at(-5) + minute - now);
    sessionStorage.setItem(key, JSON.stringify([...recent.slice(-4), now + delay]));
    setTimeout(() => location.reload(), delay);
  } catch {
    // Without a storage that counts the reloads, the page does not reload, because it might never stop.
  }
})();
