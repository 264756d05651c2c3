import { Frame } from "./frame.js";
import { startWorker } from "./installation.js";
import "./reachability.js";
import { start } from "./session.js";
import { html, render } from "./ui.js";

// Not in the task that has just run all modules: in between, a slow phone can answer a finger.
setTimeout(() => {
  const app = document.getElementById("app");
  app.replaceChildren();
  render(html`<${Frame} />`, app);
  start();
  startWorker();
});
