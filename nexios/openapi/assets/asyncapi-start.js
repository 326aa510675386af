// Fetches the document that the page names, and shows it.
"use strict";
{
  const { make, page, makeConsole } = globalThis.nexiosAsyncAPI;
  const root = document.getElementById("docs");
  const url = new URL(root.dataset.document, document.baseURI).href;

  const start = async () => {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    root.replaceChildren(...page(await answer.json(), url, makeConsole));
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  };

  start().catch((error) => root.replaceChildren(make("p", { role: "alert" }, `The document cannot be shown: ${error.message}`)));
}
