import { Frame } from "./frame.js";
import { startWorker } from "./installation.js";
import { start } from "./session.js";
import { html, render } from "./ui.js";

render(html`<${Frame} />`, document.getElementById("app"));
start();
startWorker();
