import { Frame } from "./frame.js";
import { prepareFormats } from "./i18n.js";
import { startWorker } from "./installation.js";
import "./reachability.js";
import { start } from "./session.js";
import { html, render } from "./ui.js";

render(html`<${Frame} />`, document.getElementById("app"));
start();
prepareFormats();
startWorker();
