// Sent in the place of a script of another build: this process runs another version than the one that made the page.
// Reloads the page after a second, at most five times a minute. It works as a classic script and as a module.
(() => {
  const key = "portico-reloads";
  const minute = 60_000;
  if (globalThis[key]) return;
  try {
    const now = Date.now();
    const stored = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    // A stored time is that of the planned reload, which the clock may not quite have reached.
    const recent = stored.filter((time) => Math.abs(now - time) < minute);
    const delay = recent.length < 5 ? 1_000 : Math.max(1_000, recent.at(-5) + minute - now);
    sessionStorage.setItem(key, JSON.stringify([...recent.slice(-4), now + delay]));
    setTimeout(() => location.reload(), delay);
    // The page shows that it has failed if this takes longer than a second.
    globalThis[key] = delay;
  } catch {
    // Without a storage that counts the reloads, the page does not reload, because it might never stop.
  }
})();
