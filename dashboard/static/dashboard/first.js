// Before the first paint, so that nobody sees the wrong colours or the page from the wrong side. Not a module: those wait.
{
  const root = document.documentElement;
  const kept = (name) => localStorage.getItem(`avicenna.${name}`);
  const theme = kept("theme") ?? "system";
  const isDark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = isDark ? "dark" : "light";
  root.lang = kept("language") ?? root.lang;
  root.dir = root.lang === "fa" ? "rtl" : "ltr";
}
