// Unfold under a policy without `unsafe-eval` and `unsafe-inline`: Alpine's build for that (vendored.json) reads one
// plain expression at a time and no globals. What unfold writes beyond that is said here once more, as functions.

const safely = {
  // What `x-data` calls by name.
  data: ["theme", "searchForm", "searchDropdown", "searchCommand"],
  // Attribute and expression → what stands there instead.
  instead: [
    ["body[x-data]", "x-data", () => "clinicPage"],
    ["body[x-init]", "x-init", () => ""],
    ["[x-on\\:click^='sidebarDesktopOpen =']", "x-on:click", () => "sidebarDesktopOpen = !sidebarDesktopOpen"],
    ["#changelist-actions", "x-bind:style", () => "{ width: changeListWidth + 'px' }"],
    ["form[x-bind\\:action]", "x-bind:action", () => "whereTo()"],
  ],
};

function clinicPage() {
  const tabs = /activeTab: '([^']*)'/.exec(document.body.dataset.tabs ?? "");
  const first = tabs ? tabs[1] : "";
  return {
    activeTab: (first && getCurrentTab()) || first,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    init() {
      this.$watch("sidebarDesktopOpen", (isOpen) => localStorage.setItem("sidebarDesktopOpen", isOpen ? "1" : "0"));
    },
    whereTo() {
      const { pathname, search } = window.location;
      return pathname + search + (this.activeTab && this.activeTab !== "general" ? `#${this.activeTab}` : "");
    },
  };
}

document.addEventListener("alpine:init", () => {
  for (const name of safely.data) Alpine.data(name, window[name]);
  Alpine.data("clinicPage", clinicPage);
  document.body.dataset.tabs = document.body.getAttribute("x-data");
  for (const [selector, attribute, expression] of safely.instead) {
    for (const element of document.querySelectorAll(selector)) element.setAttribute(attribute, expression());
  }
});

htmx.config.includeIndicatorStyles = false; // it would write a style sheet into the page
htmx.config.allowEval = false;
