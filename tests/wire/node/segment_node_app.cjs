/* A customer's program with @segment/analytics-node: `node segment_node_app.cjs KEY OPTIONS STORY`.

OPTIONS are the library's own, as JSON. STORY is `six` for one call of each type, or a number of
track calls. Prints what the library told about errors, as JSON. */
const { Analytics } = require("@segment/analytics-node");

const [writeKey, options, story] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, ...JSON.parse(options) });
const errors = [];
analytics.on("error", (error) => errors.push({ code: error.code, text: String(error.reason) }));

const who = { userId: "u1" };
if (story === "six") {
  analytics.identify({ ...who, traits: { plan: "pro", seats: 4.5 }, context: { ip: "203.0.113.7" } });
  analytics.track({ ...who, event: "Paid", properties: { tags: ["a"] } });
  analytics.page({ ...who, category: "Docs", name: "Home" });
  analytics.screen({ ...who, name: "Main" });
  analytics.group({ ...who, groupId: "g-1", traits: { name: "Parcel" } });
  analytics.alias({ ...who, previousId: "old" });
} else {
  for (let n = 0; n < Number(story); n += 1) {
    analytics.track({ anonymousId: `visitor-${n}`, event: "Step", properties: { n } });
  }
}
analytics.closeAndFlush({ timeout: 30000 }).then(() => console.log(JSON.stringify(errors)));
