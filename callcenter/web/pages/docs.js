// Shows /api/v1/openapi.json to people. Everything is put in as text, so nothing in it can become markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Text with `code` between back-quotes.
function prose(text, name = "p") {
  const parts = text.trim().split("`");
  return make(name, {}, ...parts.map((part, at) => (at % 2 ? make("code", {}, part) : part)));
}

function shortName(reference) {
  return reference.split("/").pop();
}

function typeOf(schema) {
  if (schema.$ref) {
    const name = shortName(schema.$ref);
    return [make("a", { href: `#schema-${name}` }, name)];
  }
  if (schema.anyOf) return join(schema.anyOf.map(typeOf), " or ");
  if (schema.enum) return [schema.enum.map((word) => JSON.stringify(word)).join(", ")];
  if ("const" in schema) return [JSON.stringify(schema.const)];
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items ?? {})];
  if (schema.type === "object" && schema.additionalProperties) {
    return ["object of ", ...typeOf(schema.additionalProperties === true ? {} : schema.additionalProperties)];
  }
  return [schema.format ?? schema.type ?? "anything"];
}

function join(lists, between) {
  return lists.flatMap((list, at) => (at ? [between, ...list] : list));
}

function limits(schema) {
  const words = [];
  const choices = [schema, ...(schema.anyOf ?? [])];
  for (const choice of choices) {
    if (choice.minimum !== undefined) words.push(`at least ${choice.minimum}`);
    if (choice.maximum !== undefined) words.push(`at most ${choice.maximum}`);
    if (choice.maxLength !== undefined) words.push(`up to ${choice.maxLength} characters`);
    if (choice.maxItems !== undefined) words.push(`up to ${choice.maxItems} items`);
    if (choice.pattern !== undefined) words.push(`like ${choice.pattern}`);
  }
  if (schema.default !== undefined && schema.default !== null) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.join("; ");
}

function meaning(description, bounds) {
  if (!bounds) return description;
  return description ? `${description} (${bounds})` : bounds[0].toUpperCase() + bounds.slice(1);
}

function table(rows) {
  const head = make("tr", {}, ...["Name", "Type", "Meaning"].map((word) => make("th", { scope: "col" }, word)));
  const body = rows.map(({ name, required, schema, description }) =>
    make(
      "tr",
      {},
      make("td", {}, make("code", {}, name), required ? "" : make("span", { class: "faint" }, " optional")),
      make("td", {}, ...typeOf(schema)),
      prose(meaning(description ?? schema.description ?? "", limits(schema)), "td"),
    ),
  );
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

function showOperation(path, method, operation) {
  const title = make("h3", {}, make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path));
  const article = make("article", { id: operation.operationId }, title, prose(operation.summary + "."));
  if (operation.description) article.append(prose(operation.description));
  if (operation.parameters) article.append(table(operation.parameters));
  const body = operation.requestBody?.content["application/json"];
  if (body) article.append(make("p", {}, "Body: ", ...typeOf(body.schema)));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const content = Object.values(answer.content ?? {})[0];
    const line = make("p", {}, status === "default" ? "Otherwise" : `${status} ${answer.description}`);
    if (content) line.append(": ", ...typeOf(content.schema));
    article.append(line);
  }
  return article;
}

function showSchema(name, schema) {
  const article = make("article", { id: `schema-${name}` }, make("h3", {}, name));
  if (schema.description) article.append(prose(schema.description));
  if (schema.enum) article.append(make("p", {}, ...typeOf(schema)));
  const required = schema.required ?? [];
  const rows = Object.entries(schema.properties ?? {}).map(([field, declared]) => ({
    name: field,
    required: required.includes(field),
    schema: declared,
  }));
  if (rows.length) article.append(table(rows));
  return article;
}

function show(description) {
  const main = document.getElementById("description");
  const contents = document.getElementById("contents");
  main.replaceChildren(make("h1", {}, `${description.info.title} API ${description.info.version}`));
  contents.replaceChildren(make("strong", {}, "API"));
  main.append(...description.info.description.split("\n\n").map((text) => prose(text)));
  for (const tag of description.tags) {
    main.append(make("h2", { id: tag.name }, tag.description));
    contents.append(make("h2", {}, tag.description));
    for (const [path, operations] of Object.entries(description.paths)) {
      for (const method of METHODS.filter((word) => operations[word]?.tags.includes(tag.name))) {
        main.append(showOperation(path, method, operations[method]));
        const operation = operations[method];
        contents.append(make("a", { href: `#${operation.operationId}` }, operation.summary));
      }
    }
  }
  main.append(make("h2", { id: "problems" }, "Problems"));
  for (const problem of description["x-problems"]) {
    main.append(
      make("p", { id: `problem-${problem.name}` }, make("code", {}, problem.name), ` ${problem.status}: ${problem.title}`),
    );
  }
  main.append(make("h2", { id: "schemas" }, "Bodies"));
  for (const [name, schema] of Object.entries(description.components.schemas)) main.append(showSchema(name, schema));
  main.setAttribute("aria-busy", "false");
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch("/api/v1/openapi.json")
  .then((answer) => {
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.json();
  })
  .then(show)
  .catch((problem) => {
    document.getElementById("description").replaceChildren(`The description cannot be read: ${problem.message}`);
  });
