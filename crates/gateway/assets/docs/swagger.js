// Starts Swagger UI over this server's own document. A key that is typed in stays in this page.
fetch("/openapi.json")
  .then((answer) => answer.json())
  .then((spec) => {
    // Whoever tries the API has a secret key: its field comes first.
    const { secret_key, ...others } = spec.components.securitySchemes;
    spec.components.securitySchemes = { secret_key, ...others };
    window.ui = SwaggerUIBundle({
      spec,
      dom_id: "#docs",
      deepLinking: true,
      displayRequestDuration: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      requestSnippetsEnabled: true,
      tryItOutEnabled: true,
      validatorUrl: null,
    });
  });
