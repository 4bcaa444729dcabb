// The same conversations through promptfoo: a provider that holds one conversation for each test, three turns with the
// target, every reply scored by two judges meanwhile. promptfoo loads it; perf/run.py writes the configuration.

import fs from "node:fs";

export default class Conversations {
  constructor({ config }) {
    this.url = config.url;
    this.conversations = fs.readFileSync(config.conversations, "utf-8").trim().split("\n").map((line) => JSON.parse(line));
  }

  id() {
    return "conversations";
  }

  async post(role, body) {
    const answer = await fetch(`${this.url}/${role}/v1/chat/completions`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: "Bearer none" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return (await answer.json()).choices[0].message.content;
  }

  async callApi(_prompt, context) {
    const judging = [];
    let reply = "";
    for (const turn of this.conversations[context.vars.number]) {
      reply = await this.post("target", turn.target);
      for (const body of turn.judges) judging.push(this.post("judge", body).then(JSON.parse));
    }
    const scores = (await Promise.all(judging)).map((judgement) => judgement.score);
    return { output: JSON.stringify({ reply, scores }) };
  }
}
