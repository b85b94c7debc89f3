// An Express API with `moesif-nodejs`, called over HTTP: JSON, a form, a page, an error, and many
// calls after the first batch. Run as `node moesif_nodejs_app.cjs URL APPLICATION_ID`; stays until
// its standard input is closed.
"use strict";

const express = require("express");
const moesif = require("moesif-nodejs");
const http = require("node:http");

const [baseUri, applicationId] = process.argv.slice(2);
let batches = 0;
const middleware = moesif({
  applicationId,
  baseUri,
  batchMaxTime: 600,
  identifyUser: (req) => req.headers["x-developer"],
  identifyCompany: () => "parcel",
  getMetadata: () => ({ dc: "eu", secret: "planted-metadata" }),
  getSessionToken: () => "planted-session",
  getApiVersion: () => "2.1",
  skip: (req) => req.path === "/health",
  callback: () => (batches += 1),
});

const api = express();
api.use(middleware);
api.use(express.json());
api.post("/v2/labels", (req, res) => res.status(201).json({ id: "lb_1", weight_g: req.body.weight_g }));
api.post("/login", express.urlencoded(), (_, res) => res.cookie("sid", "planted-cookie").send("<p>Zoë is welcome</p>"));
api.get("/broken", (_, res) => res.status(500).json({ error: "no" }));
api.get(["/health", "/v2/labels/:label"], (_, res) => res.sendStatus(204));

const server = api.listen(0, "127.0.0.1", () => main().catch(fail));

function fail(error) {
  console.error(error);
  process.exit(1);
}

function ask(method, path, body, type) {
  const headers = {
    Host: "api.parcel.example",
    "X-Developer": "ana",
    "X-Forwarded-For": "203.0.113.7",
    Authorization: "Bearer planted-bearer",
    "User-Agent": "parcel-python/2.1.0",
    ...(body && { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }),
  };
  const { port } = server.address();
  return new Promise((resolve, reject) => {
    http
      .request({ port, method, path, headers }, (res) => res.resume().on("end", () => resolve(res.statusCode)))
      .on("error", reject)
      .end(body);
  });
}

async function expect(status, ...request) {
  const answered = await ask(...request);
  if (answered !== status) throw new Error(`${request[1]} answered ${answered}`);
}

async function main() {
  const label = JSON.stringify({ weight_g: 420, password: "planted-password" });
  await expect(201, "POST", "/v2/labels?dry=1&api_key=planted-key", label, "application/json");
  const form = "user=ana&password=planted-password";
  await expect(200, "POST", "/login", form, "application/x-www-form-urlencoded");
  await expect(500, "GET", "/broken");
  await expect(204, "GET", "/health");
  // A policy that is learned at once may leave out all of these: then there is no first batch.
  for (let waits = 0; !batches && waits < 250; waits += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  for (let number = 0; number < 60; number += 1) await expect(204, "GET", `/v2/labels/${1000 + number}`);

  await middleware.updateUser({ userId: "ana", companyId: "parcel", sessionToken: "planted-token", metadata: { name: "Ana" } });
  await middleware.updateUsersBatch([{ userId: "bob" }, { userId: "eve" }]);
  await middleware.updateCompany({ companyId: "parcel", companyDomain: "parcel.example" });
  await middleware.updateCompaniesBatch([{ companyId: "acme" }]);
  const subscription = { subscriptionId: "sub_1", companyId: "parcel", status: "active" };
  await middleware.updateSubscription({ ...subscription, metadata: { seats: 40 } });
  await middleware.updateSubscriptionsBatch([{ ...subscription, subscriptionId: "sub_2" }]);

  const request = { uri: "https://parcel.example/keys?token=planted-query", time: new Date(Date.now() - 60_000), ipAddress: "203.0.113.7" };
  const action = { actionName: "Created Key", userId: "ana", companyId: "parcel", sessionToken: "planted-token", request };
  await middleware.sendAction({ ...action, transactionId: "act-1", metadata: { plan: "trial", password: "planted" } });
  await middleware.sendActionsBatch([{ actionName: "Read Docs", userId: "bob", request: { uri: "/docs" } }, { ...action, transactionId: "act-2" }]);
  process.stdin.resume().on("end", () => process.exit(0));
}
