// Before the first paint, so that nobody sees the wrong colours or the page from the wrong side. Not a module: those wait.
{
  const root = document.documentElement;
  const kept = (name) => localStorage.getItem(`avicenna.${name}`);
  const theme = kept("theme") ?? "system";
  const isDark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = isDark ? "dark" : "light";
  root.lang = kept("language") ?? root.lang;
  root.dir = root.lang === "fa" ? "rtl" : "ltr";
  // The first format reads the tables of all languages, which costs a phone up to 0.1 s: now, while it waits for the rest.
  setTimeout(() => new Intl.NumberFormat(root.lang));
}
