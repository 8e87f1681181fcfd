// Starts Redoc over this server's own document, with this server's own address in the code samples.
fetch("/openapi.json")
  .then((answer) => answer.text())
  .then((text) => {
    const spec = JSON.parse(text.replaceAll("http://127.0.0.1:8000", location.origin));
    const options = { requiredPropsFirst: true, expandResponses: "200,201", maxDisplayedEnumValues: 6 };
    Redoc.init(spec, options, document.getElementById("docs"));
  });
