// Starts Redoc on the page that loaded it, without telemetry. The bundle is a module, found by the preload link.
// Its search would make a worker out of text if it could; the policy forbids that, so there is none to be found.
delete globalThis.Worker;
document.body.style.margin = "0";
const root = document.getElementById("docs");
const { init } = await import(document.querySelector("link[rel=modulepreload]").href);
init(new URL(root.dataset.document, document.baseURI).href, { disableTelemetry: true }, root);
