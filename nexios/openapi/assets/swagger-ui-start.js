// Starts Swagger UI on the page that loaded it; the validator, which is a foreign host, is off.
"use strict";
{
  document.body.style.margin = "0";
  const root = document.getElementById("docs");
  SwaggerUIBundle({
    domNode: root,
    url: new URL(root.dataset.document, document.baseURI).href,
    validatorUrl: null,
    deepLinking: true,
    persistAuthorization: false,
    queryConfigEnabled: false,
  });
}
