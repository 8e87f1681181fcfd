// Starts Redoc over this server's own document.
Redoc.init("/openapi.json", { requiredPropsFirst: true, expandResponses: "200,201" }, document.getElementById("docs"));
