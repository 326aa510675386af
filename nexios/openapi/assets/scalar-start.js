// Starts Scalar on the page that loaded it. No foreign host is asked for anything: fonts are the reader's own, and
// what would go to Scalar's services (telemetry, agent, proxy, developer tools, client app) is off.
"use strict";
{
  const root = document.getElementById("docs");
  Scalar.createApiReference(root, {
    url: new URL(root.dataset.document, document.baseURI).href,
    pageTitle: document.title,
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: "never",
    hideClientButton: true,
    persistAuth: false,
  });
}
