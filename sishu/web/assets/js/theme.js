/* Loaded in <head> without defer, so that a chosen theme is there before the first paint.
   Any element with data-theme-switch changes it; without a choice the page follows the system. */
const root = document.documentElement;

/** The visitor's choice, or null where storage is forbidden. */
function chosen() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function choose(theme) {
  root.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // A browser that keeps nothing still changes this page.
  }
}

const theme = chosen();
if (theme === "light" || theme === "dark") root.dataset.theme = theme;

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-theme-switch]")) choose(isDark() ? "light" : "dark");
});
