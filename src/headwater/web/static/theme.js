// Puts the chosen theme on the page before it is drawn. Loaded as a classic script in the head, so
// that a dark page never flashes white. Without a choice the system's preference rules.
(() => {
  const key = "headwater-theme";
  const root = document.documentElement;
  const chosen = () => {
    try { return localStorage.getItem(key); } catch { return null; }
  };
  const put = (theme) => { if (theme) root.dataset.theme = theme; };
  put(chosen());
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    const next = dark ? "light" : "dark";
    put(next);
    try { localStorage.setItem(key, next); } catch { /* private mode: the choice lasts for this page */ }
  });
})();
